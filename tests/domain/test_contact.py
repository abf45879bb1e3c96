"""Which numbers and addresses can be reached, and the one form they are stored in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import contact
from app.domain.errors import InvalidInput

ONE = "+819012345678"


@pytest.mark.parametrize(
    "typed",
    [
        "09012345678", "090-1234-5678", "０９０－１２３４－５６７８", "０９０ー１２３４ー５６７８", "090 1234 5678",
        "(090)1234-5678",
        "+819012345678", "+81 90-1234-5678", "+81 (0)90-1234-5678", "＋８１（０）９０１２３４５６７８",
        " 090‐1234−5678 ",
    ],
)  # fmt: skip
def test_one_number_however_it_is_typed(typed: str) -> None:
    assert contact.mobile(typed) == ONE


@pytest.mark.parametrize("start", ["060", "070", "080", "090"])
def test_every_mobile_range_is_accepted(start: str) -> None:
    assert contact.mobile(f"{start}-1234-5678") == f"+81{start[1:]}12345678"


@pytest.mark.parametrize(
    "typed",
    [
        "", "0", "0312345678", "03-1234-5678", "05012345678", "02012345678", "0570123456", "0990123456", "0120123456",
        "08001234567", "0800-123-4567", "09001234567", "110", "119", "+1 900 555 1234", "+44 7911 123456",
        "+882 16 12345678", "+81 990 123456", "+81 570 123 456", "+81 120 123 456", "+81 3 1234 5678", "819012345678",
        "0081 90 1234 5678", "0901234567", "090123456789", "090-1234-567a", "090-1234-5678\r\nBcc: x",
        "+８２1012345678",
        "٠٩٠١٢٣٤٥٦٧٨", "090123456\x0078", "\ud80009012345678", "0" * 5000, "09012345678,09012345679", "tel:09012345678",
    ],
)  # fmt: skip
def test_what_no_message_may_be_sent_to(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        contact.mobile(typed, field="tel")
    assert (caught.value.reason, caught.value.values) == ("bad_mobile", {"field": "tel"})


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_japanese_mobile_or_refused(typed: str) -> None:
    try:
        found = contact.mobile(typed)
    except InvalidInput:
        return
    assert len(found) == 13
    assert found[:5] in ("+8160", "+8170", "+8180", "+8190")
    assert found[1:].isascii()
    assert found[1:].isdigit()
    assert contact.mobile(found) == found


@given(
    st.sampled_from("6789"), st.integers(10_000_000, 99_999_999), st.booleans(), st.sampled_from(["", "-", " ", "ー"])
)
def test_every_real_number_is_accepted_in_every_dress(kind: str, rest: int, wide: bool, between: str) -> None:
    digits = str(rest)
    typed = between.join((f"0{kind}0", digits[:4], digits[4:]))
    if wide:
        typed = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in typed)
        assert unicodedata.normalize("NFKC", typed) != typed
    assert contact.mobile(typed) == f"+81{kind}0{rest}"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("tanaka@example.jp", "tanaka@example.jp"), (" Tanaka.M@Example.CO.JP ", "Tanaka.M@example.co.jp"),
        ("ｔａｎａｋａ＠ｅｘａｍｐｌｅ．ｊｐ", "tanaka@example.jp"), ("a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"),
        ("x+y@example.jp", "x+y@example.jp"), ("a@日本語.jp", "a@xn--wgv71a119e.jp"),
    ],
)  # fmt: skip
def test_an_address_in_its_one_form(typed: str, stored: str) -> None:
    assert contact.email(typed) == stored
    assert contact.email(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", "tanaka", "@example.jp", "a@", "a@localhost", "a@127.0.0.1", "a@-x.jp", "a@x..jp", "a b@example.jp",
        "a@example.jp\r\nBcc: b@example.jp", "a@b@example.jp", "<a@example.jp>", '"a b"@example.jp', "a,b@example.jp",
        f"{'a' * 65}@example.jp", f"a@{'x' * 250}.jp", f"a@{'x' * 64}.jp", "田中@example.jp", "a\u202e@example.jp",
    ],
)  # fmt: skip
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        contact.email(typed)
    assert caught.value.reason == "bad_email"


def test_what_is_shown_of_a_contact() -> None:
    assert contact.national(ONE) == "090-1234-5678"
    assert contact.masked(ONE) == "090-****-5678"
    assert contact.national("+81312345678") == "0312345678"
    assert contact.masked("+81312345678") == "03****5678"
    assert contact.masked("tanaka@example.jp") == "t***@example.jp"


def test_what_limits_count() -> None:
    assert contact.number_block(ONE) == "+81901234"
    assert contact.counted_as(ONE) == ONE
    assert contact.counted_as("Tanaka+1@example.jp") == contact.counted_as("tanaka+2@example.jp")
