"""What a request reads in its language: the catalogue of each reaches the page, easy Japanese with its readings."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web import locale
from app.web.kiosk.words import speaking
from app.web.locale import plain, t


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
