"""What a request reads in its language: the catalogue of each reaches the page, easy Japanese with its readings."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web import formats, locale
from app.web.locale import plain, speaking, t


@pytest.fixture(scope="module")
def page() -> Flask:
    """Only the languages, without a database."""
    made = Flask("app")
    locale.install(made)
    return made


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ja", "番号をとる"),
        ("ja-Hira", "<ruby>番号<rt>ばんごう</rt></ruby>を とる"),
        ("en", "Take a number"),
        ("zh-Hans", "取号"),
        ("zh-Hant", "取號"),
        ("ko", "번호 받기"),
    ],
)
def test_a_text_is_said_in_the_language_asked_for(page: Flask, code: str, said: str) -> None:
    with page.test_request_context(f"/?lang={code}"):
        assert said in t("番号をとる")


def test_easy_japanese_keeps_its_values_and_can_be_read_plain(page: Flask) -> None:
    with page.test_request_context("/?lang=ja-Hira"):
        assert plain(t("%(counters)s番窓口", counters="4〜7")) == "4〜7番の 窓口"


def test_easy_japanese_can_be_spoken_within_another_language(page: Flask) -> None:
    with page.test_request_context("/?lang=en"):
        with speaking("ja-Hira"):
            assert plain(t("番号をとる")) == "番号を とる"
        assert t("番号をとる") == "Take a number"


def test_a_refusal_is_read_with_its_readings_on_a_page_and_without_markup_in_an_answer(client: FlaskClient) -> None:
    page = client.put("/?lang=ja-Hira")
    assert page.status_code == 405
    assert "<ruby>方<rt>かた</rt></ruby>では できません" in page.text
    assert "&lt;" not in page.text
    answer = client.put("/healthz?lang=ja-Hira")
    assert answer.get_json()["error"]["message"] == "この やり方では できません。"


@pytest.mark.parametrize(
    ("code", "plain_words", "read_aloud"),
    [
        ("ja", "4月1日(水)", "4月1日(水)"), ("ja-Hira", "4月1日(水)", "《"), ("en", "Wed 1 Apr", "Wed 1 Apr"),
        ("zh-Hans", "4月1日周三", "4月1日周三"), ("zh-Hant", "4月1日 週三", "4月1日 週三"),
        ("ko", "4월 1일 (수)", "4월 1일 (수)"), ("vi", "Th 4, 1 thg 4", "Th 4, 1 thg 4"),
        ("pt", "qua., 1 de abr.", "qua., 1 de abr."),
    ],
)  # fmt: skip
def test_a_day_is_said_as_the_language_says_it(page: Flask, code: str, plain_words: str, read_aloud: str) -> None:
    day = date(2026, 4, 1)
    with page.test_request_context(f"/?lang={code}"):
        assert formats.day_words(day) == plain_words
        assert read_aloud in formats.day_name(day)


@pytest.mark.parametrize(("low", "high"), [(0, 5), (3, 15), (12, 20), (55, 80)])
def test_a_range_as_a_time_of_day_is_its_middle_and_never_too_early(low: int, high: int) -> None:
    for second in range(0, 600, 7):
        at = datetime(2026, 4, 1, 1, 28, tzinfo=UTC) + timedelta(seconds=second)
        late = formats.around(at, {"low": low, "high": high}) - at - timedelta(minutes=(low + high) / 2)
        assert timedelta(0) <= late < timedelta(minutes=5)
        assert formats.around(at, {"low": low, "high": high}).minute % 5 == 0


def test_a_value_that_is_markup_keeps_its_readings_and_no_other_is_taken_for_markup(page: Flask) -> None:
    with page.test_request_context("/?lang=ja-Hira"):
        said = t("%(when)sから", when=locale.ruby("明日《あした》"))
        assert "<ruby>明日<rt>あした</rt></ruby>" in said
        assert plain(said) == "明日から"
        assert "<b>" not in t("%(when)sから", when="<b>")
