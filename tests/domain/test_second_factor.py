"""The codes of RFC 6238, their half-minutes, and the addresses staff come from."""

from datetime import UTC, datetime

import pytest

from app.domain import networks
from app.domain import second_factor as rules

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    # RFC 6238, appendix B, SHA-1; of its eight digits the last six.
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert rules.code_of(SECRET, rules.step_of(at)) == code
    assert rules.matching_step(SECRET, code, at=at, after=0) == seconds // 30


def test_a_clock_half_a_minute_off_is_understood_and_no_more() -> None:
    at = datetime(2026, 4, 1, 3, tzinfo=UTC)
    now = rules.step_of(at)
    fits = [n for n in range(-3, 4) if rules.matching_step(SECRET, rules.code_of(SECRET, now + n), at=at, after=0)]
    assert fits == [-1, 0, 1]


def test_no_code_counts_twice() -> None:
    at = datetime(2026, 4, 1, 3, tzinfo=UTC)
    now = rules.step_of(at)
    assert rules.matching_step(SECRET, rules.code_of(SECRET, now), at=at, after=now) is None
    assert rules.matching_step(SECRET, rules.code_of(SECRET, now - 1), at=at, after=now) is None
    assert rules.matching_step(SECRET, rules.code_of(SECRET, now + 1), at=at, after=now) == now + 1


@pytest.mark.parametrize("typed", ["", "１２３", "\x00", "\ud800", "9" * 5000, "ab-cd e", "١٢٣٤٥٦"])
def test_whatever_is_typed_is_no_code(typed: str) -> None:
    assert rules.matching_step(SECRET, rules.normal_code(typed), at=datetime(2026, 4, 1, tzinfo=UTC), after=0) is None


def test_codes_as_people_type_them() -> None:
    assert rules.normal_code(" ２８７ 082 ") == "287082"
    code = rules.recovery_codes([n % 31 for n in range(100)])[0]
    assert rules.is_recovery(rules.normal_code(rules.recovery_text(code).upper()))
    assert not rules.is_recovery("287082")


def test_the_address_for_the_app() -> None:
    said = rules.address_for_app(SECRET, login="aoki", issuer="Madoguchi 青波市")
    assert said.startswith("otpauth://totp/Madoguchi%20%E9%9D%92%E6%B3%A2%E5%B8%82:aoki?secret=GEZDGNBVGY3TQOJQ")
    assert rules.secret_of(rules.secret_text(SECRET)) == SECRET


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.20.3.4", True),
        ("10.21.0.1", False),
        ("192.0.2.9", True),
        ("::ffff:10.20.3.4", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_addresses_within_networks(address: str, inside: bool) -> None:
    assert networks.within(address, ["10.20.0.0/16", "192.0.2.9", "2001:db8::/32"]) is inside
    assert networks.within(address, [])
