"""Words in several languages, ruby, and the small types every part of the document uses."""

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

LANGUAGES = ("ja", "ja_Hira", "en", "zh_Hans", "zh_Hant", "ko", "vi", "pt")
STAFF_LANGUAGES = ("ja", "en")

_KANJI = r"[\u3400-\u9fff々〆ヶ]"
_RUBY = re.compile(_KANJI + r"+《[ぁ-ゖァ-ヺー]+》")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Part(BaseModel):
    """Base of every part: unknown names are refused, so that a misspelt dial is not silently the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def placeholders(text: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(text))


def without_ruby(text: str) -> str:
    """``番号《ばんごう》`` as it is written: ``番号``."""
    return re.sub(r"《[^》]*》", "", text)


def bare_kanji(text: str) -> str:
    """The kanji of an easy-Japanese text that carry no reading; empty when all do."""
    return "".join(re.findall(_KANJI, _RUBY.sub("", text).replace("ヶ", "")))


def _words(value: dict[str, str]) -> dict[str, str]:
    if "ja" not in value:
        raise ValueError("ja is missing: Japanese is the source of every text")
    unknown = sorted(set(value) - set(LANGUAGES))
    if unknown:
        raise ValueError(f"unknown language: {', '.join(unknown)}")
    for language, text in value.items():
        if not text.strip():
            raise ValueError(f"{language} is empty")
        if placeholders(text) != placeholders(value["ja"]):
            raise ValueError(f"{language} must hold the same {{…}} as ja")
    bare = bare_kanji(value.get("ja_Hira", ""))
    if bare:
        raise ValueError(f"ja_Hira: no reading 《…》 after {bare}")
    return value


def _staff_words(value: dict[str, str]) -> dict[str, str]:
    missing = [language for language in STAFF_LANGUAGES if not value.get(language, "").strip()]
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}")
    return value


def _clock(value: object) -> object:
    # One spelling only: pydantic also takes seconds, offsets and bare numbers as a time of day.
    if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("a time of day is written 08:30")
    if isinstance(value, (str, time)):
        return value
    raise ValueError("a time of day is written 08:30")


class ResidentText:
    """Marks words a resident sees: all languages of the municipality are asked of them."""


Words = Annotated[dict[str, str], AfterValidator(_words), ResidentText()]
StaffWords = Annotated[dict[str, str], AfterValidator(_staff_words)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Clock = Annotated[time, BeforeValidator(_clock)]
MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
