"""Every text a person may read is there in every language it is wanted in, with the same values to fill."""

import re

import pytest

from config import messages

FOUND = messages.words()
_VALUES = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("locale", messages.LOCALES)
def test_nothing_is_left_untranslated(locale: str) -> None:
    missing = sorted(messages.wanted(locale, FOUND) - set(messages.read(locale)))
    assert missing == [], f"run make messages and translate {locale}"


@pytest.mark.parametrize("locale", messages.LOCALES)
def test_a_translation_keeps_its_values(locale: str) -> None:
    for text, said in messages.read(locale).items():
        assert sorted(_VALUES.findall(text)) == sorted(_VALUES.findall(said)), text
        assert "%" not in _VALUES.sub("", said) or "%" in _VALUES.sub("", text), said


def test_easy_japanese_has_a_reading_on_every_kanji() -> None:
    """Ruby is written 漢字《かんじ》; what is left over after readings holds no kanji."""
    for text, said in messages.read("ja_Hira").items():
        bare = re.sub(r"(?:[|\uff5c][^《》|\uff5c]+|[\u3400-\u9fff々〆ヶ]+)《[^《》]+》", "", said)
        assert not re.search(r"[\u3400-\u9fff]", bare), (text, said)


def test_a_word_is_found_wherever_it_stands() -> None:
    assert {"app/templates/resident/home.html"} <= FOUND["いまの混みぐあい"]
    assert {"app/web/sentences.py"} <= FOUND["お探しのものは見つかりませんでした。"]
