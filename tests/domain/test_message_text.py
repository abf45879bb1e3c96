"""What a text of a message may hold; and the texts we bring hold only that, in every language."""

from datetime import UTC, datetime

import pytest

from app.domain import message_text
from app.domain.delivery import Occasion, Text
from app.domain.message_text import LANGUAGES, Fault, clean, faults, filled, length, sample, when
from config import message_texts

OURS = message_texts.load()
LINK = "https://madoguchi.example.jp/s/k3v9x2m7qa"
VALUES = sample(city="青波市", office="本庁舎", link=LINK, language="ja")


def test_every_occasion_has_a_text_in_every_language() -> None:
    assert set(OURS) == {str(each) for each in Occasion}
    assert {occasion: set(texts) for occasion, texts in OURS.items()} == {key: set(LANGUAGES) for key in OURS}


@pytest.mark.parametrize("occasion", list(Occasion))
@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_texts_are_without_fault(occasion: Occasion, language: str) -> None:
    words = OURS[occasion][language]
    text = Text(short=words.short, subject=words.subject, long=words.long)
    assert faults(occasion, text) == []
    values = sample(city="Aonami", office="Main", link=LINK, language=language)
    said = filled(text, values)
    assert "{" not in said.short + said.subject + said.long
    assert length(text, values).parts <= (1 if language == "en" else 2), said.short


def test_a_call_in_japanese_is_one_message() -> None:
    for occasion in (Occasion.CALLED, Occasion.CODE):
        words = OURS[occasion]["ja"]
        assert length(Text(short=words.short), VALUES).parts == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (Text(short="{番号} {窓口} {名前}"), Fault(code="place_unknown", field="short", place="名前")),
        (Text(short="{番号}"), Fault(code="place_missing", field="short", place="窓口")),
        (Text(short="{番号}{窓口"), Fault(code="brace_open", field="short")),
        (
            Text(short="{番号}{窓口}", subject="{短いURL}"),
            Fault(code="place_unknown", field="subject", place="短いURL"),
        ),
        (Text(short="{番号}{窓口}" + "あ" * 600), Fault(code="text_too_long", field="short", most=600)),
        (Text(short="{番号}{窓口}\r\nBcc: x"), Fault(code="text_bad_sign", field="short")),
        (Text(short="{番号}{窓口}", subject="a\nb"), Fault(code="text_bad_sign", field="subject")),
        (Text(short=" "), Fault(code="text_empty", field="short")),
        (Text(short="{番号}{窓口}", long="{番号}"), Fault(code="place_missing", field="long", place="窓口")),
    ],
)
def test_what_is_refused(text: Text, fault: Fault) -> None:
    assert fault in faults(Occasion.CALLED, text)


def test_a_value_cannot_break_out_of_its_place() -> None:
    said = filled(Text(short="{市} {番号} {短いURL}"), {"市": "x\r\nBcc: y", "番号": "{短いURL}\u202e"})
    assert said.short == "x  Bcc: y 短いURL {短いURL}"
    assert clean("a\x00b\ud800c") == "abc"


def test_a_wait_that_nobody_knows_is_not_told() -> None:
    text = Text(short=OURS["soon"]["ja"].short)
    assert "約8〜14分(目安)" in filled(text, VALUES).short
    assert "あと3人。" in filled(text, VALUES | {"幅": ""}).short
    assert "[" not in filled(text, VALUES).short + filled(text, VALUES | {"幅": ""}).short


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ja", "4月1日(水) 10時30分"), ("ja-Hira", "4月1日(水) 午前10時30分"), ("en", "Wed 1 Apr 10:30"),
        ("zh-Hans", "4月1日(周三) 10:30"), ("zh-Hant", "4月1日(週三) 10:30"), ("ko", "4월 1일(수) 10:30"),
        ("vi", "10:30 thứ Tư 1/4"), ("pt", "1/4 (qua) 10:30"),
    ],
)  # fmt: skip
def test_day_and_clock(language: str, said: str) -> None:
    assert when(datetime(2026, 4, 1, 1, 30, tzinfo=UTC), language) == said
    assert message_text.PLACES.keys() == message_text.NEEDED.keys()
