"""What people type into forms, in the form it is stored in."""

import re
import unicodedata
from datetime import time

from app.web.locale import LANGUAGES

# The catalogue's names of the languages, in the order of the menu, with how staff call them in a narrow place.
WORD_LANGUAGES = dict(LANGUAGES.values())
SHORT = {
    "ja": "日",
    "ja_Hira": "やさしい",
    "en": "EN",
    "zh_Hans": "简",
    "zh_Hant": "繁",
    "ko": "한",
    "vi": "VI",
    "pt": "PT",
}
_LONGEST = 200


def words(text: str) -> str:
    """A line of words without what cannot be printed, at most 200 characters; readings 《…》 stay."""
    kept = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs", "Cn", "Co", "Cf"))
    return " ".join(unicodedata.normalize("NFC", kept).split(" "))[:_LONGEST].strip()


def clock(text: str) -> str:
    """``9:00``, ``９：００`` and ``09:00`` as ``09:00``; anything else as typed, to be refused with its reason."""
    plain = unicodedata.normalize("NFKC", text).strip()
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", plain)
    return f"{int(match[1]):02d}:{match[2]}" if match else plain[:20]


def time_of(text: str) -> time | None:
    """The time of day of ``HH:MM``; None for anything else."""
    try:
        return time.fromisoformat(text) if re.fullmatch(r"\d{2}:\d{2}", text, re.ASCII) else None
    except ValueError:
        return None
