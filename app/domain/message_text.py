"""What a message says: a text with places in braces ({番号}), the values that fill them, and what is refused.

The names of places are Japanese in every language, since whoever edits the texts of a city reads Japanese. Names of
people and what they came for have no place: a text message is read by whoever holds the telephone.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from app.domain import sms
from app.domain.delivery import TOKYO, Occasion, Text

LANGUAGES = ("ja", "ja-Hira", "en", "zh-Hans", "zh-Hant", "ko", "vi", "pt")
LINK, CODE = "短いURL", "コード"
# Filled in only as the message leaves (delivery.Text).
OPEN = frozenset({LINK, CODE})
_WAIT = frozenset({"市", "庁舎", "番号", "場所", LINK})
_BOOKING = frozenset({"市", "庁舎", "日時", "予約番号", LINK})
PLACES: Mapping[Occasion, frozenset[str]] = MappingProxyType(
    {
        Occasion.CODE: frozenset({"市", "庁舎", CODE}),
        Occasion.SOON: _WAIT | {"人数", "幅"},
        Occasion.CALLED: _WAIT | {"窓口"},
        Occasion.READY: _WAIT,
        Occasion.MISSED: _WAIT,
        Occasion.BOOKED: _BOOKING,
        Occasion.MOVED: _BOOKING,
        Occasion.CANCELLED: _BOOKING,
        Occasion.REMINDER_DAY: _BOOKING,
        Occasion.REMINDER_HOURS: _BOOKING,
        Occasion.OFFER: _BOOKING | {"期限"},
        Occasion.RECEIPT: frozenset({"市", "庁舎", "金額", LINK}),
    }
)
# Without these the message would not be one.
NEEDED: Mapping[Occasion, frozenset[str]] = MappingProxyType(
    {
        Occasion.CODE: frozenset({CODE}), Occasion.SOON: frozenset({"番号"}),
        Occasion.CALLED: frozenset({"番号", "窓口"}), Occasion.READY: frozenset({"番号"}),
        Occasion.MISSED: frozenset({"番号"}), Occasion.BOOKED: frozenset({"日時"}), Occasion.MOVED: frozenset({"日時"}),
        Occasion.CANCELLED: frozenset({"日時"}), Occasion.REMINDER_DAY: frozenset({"日時"}),
        Occasion.REMINDER_HOURS: frozenset({"日時"}), Occasion.OFFER: frozenset({"日時", LINK}),
        Occasion.RECEIPT: frozenset({"金額"}),
    }
)  # fmt: skip
MOST_LETTERS = 600
_GROUP = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a text cannot be used: ``code`` with the place or the limit it is about."""

    code: str
    field: str
    place: str = ""
    most: int = 0


def faults(occasion: Occasion, text: Text) -> list[Fault]:
    """Everything that is wrong with a text before it may be used; a long one is not wrong, only dear."""
    found = [fault for field in ("short", "subject", "long") for fault in _of_field(occasion, field, text)]
    if not text.short.strip():
        found.append(Fault(code="text_empty", field="short"))
    missing = NEEDED[occasion] - set(_PLACE.findall(text.short))
    found += [Fault(code="place_missing", field="short", place=place) for place in sorted(missing)]
    if text.long:
        missing = NEEDED[occasion] - set(_PLACE.findall(text.long))
        found += [Fault(code="place_missing", field="long", place=place) for place in sorted(missing)]
    return found


def _of_field(occasion: Occasion, field: str, text: Text) -> Iterator[Fault]:
    words: str = getattr(text, field)
    for place in sorted(set(_PLACE.findall(words)) - PLACES[occasion]):
        yield Fault(code="place_unknown", field=field, place=place[:20])
    if field == "subject":
        # A subject is read on a locked screen, by others too.
        for place in sorted(set(_PLACE.findall(words)) & OPEN):
            yield Fault(code="place_unknown", field=field, place=place)
    if re.search(r"[{}]", _PLACE.sub("", words)):
        yield Fault(code="brace_open", field=field)
    most = 60 if field == "subject" else MOST_LETTERS if field == "short" else 3 * MOST_LETTERS
    if len(words) > most:
        yield Fault(code="text_too_long", field=field, most=most)
    lines = words if field == "subject" else words.replace("\n", "")
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cf") for sign in lines):
        yield Fault(code="text_bad_sign", field=field)


def filled(text: Text, values: Mapping[str, str]) -> Text:
    """The text with every place filled that has a value; the others stay open.

    What stands in square brackets falls away where one of its places has an empty value: a wait that nobody knows.
    """

    def group(match: re.Match[str]) -> str:
        empty = any(values.get(place) == "" for place in _PLACE.findall(match[1]))
        return "" if empty else match[1]

    def fill(words: str) -> str:
        words = _GROUP.sub(group, words)
        return _PLACE.sub(lambda match: clean(values[match[1]]) if match[1] in values else match[0], words)

    return replace(text, short=fill(text.short), subject=fill(text.subject), long=fill(text.long))


def clean(value: str) -> str:
    """A value on one line, without signs that turn or break a text, and without braces."""
    kept = (" " if sign in "\r\n\t" else sign for sign in value if sign not in "{}")
    return "".join(sign for sign in kept if unicodedata.category(sign) not in ("Cc", "Cs", "Cf")).strip()


_WIDE = frozenset({"ja", "ja-Hira", "zh-Hans", "zh-Hant", "ko"})


def span(low: int, high: int, language: str) -> str:
    """A range of minutes; outside East Asia with the hyphen of the basic alphabet, which halves what it costs."""
    return f"{low}〜{high}" if language in _WIDE else f"{low}-{high}"


def sample(*, city: str, office: str, link: str, language: str, longest: bool = False) -> dict[str, str]:
    """Values to look at a text with: usual ones, or the longest there are."""
    day = datetime(2026, 12, 28, 10, 30, tzinfo=TOKYO) if longest else datetime(2026, 4, 8, 10, 30, tzinfo=TOKYO)
    floor = ("2階 東側ロビー" if longest else "1階") if language in _WIDE else ("2F East Lobby" if longest else "1F")
    return {
        "市": city, "庁舎": office, LINK: link, CODE: "482915", "場所": floor, "予約番号": "R7K-2Q4",
        "番号": "B1088" if longest else "B088", "人数": "99" if longest else "3", "窓口": "24" if longest else "4",
        "幅": span(120, 150, language) if longest else span(8, 14, language),
        "金額": "12,450" if longest else "300", "日時": when(day, language), "期限": when(day, language),
    }  # fmt: skip


def length(text: Text, values: Mapping[str, str]) -> sms.Length:
    """What the short text costs with these values."""
    return sms.length(filled(text, values).short)


_DAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ja": tuple("月火水木金土日"), "zh-Hans": tuple("一二三四五六日"), "zh-Hant": tuple("一二三四五六日"),
        "ko": tuple("월화수목금토일"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
        "pt": ("seg", "ter", "qua", "qui", "sex", "sáb", "dom"),
    }
)  # fmt: skip
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "ja": "{m}月{d}日({day}) {hour}時{minute:02d}分", "ja-Hira": "{m}月{d}日({day}) {half}{hour12}時{minute:02d}分",
        "en": "{day} {d} {month} {hour}:{minute:02d}", "zh-Hans": "{m}月{d}日(周{day}) {hour}:{minute:02d}",
        "zh-Hant": "{m}月{d}日(週{day}) {hour}:{minute:02d}", "ko": "{m}월 {d}일({day}) {hour}:{minute:02d}",
        "vi": "{hour}:{minute:02d} {day} {d}/{m}", "pt": "{d}/{m} ({day}) {hour}:{minute:02d}",
    }
)  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(at: datetime, language: str) -> str:
    """Day and clock as a message says them; easy Japanese says 午前 and 午後."""
    here = at.astimezone(TOKYO)
    return _PATTERNS[language].format(
        m=here.month, d=here.day, day=_DAYS.get(language, _DAYS["ja"])[here.weekday()],
        month=_MONTHS[here.month - 1], hour=here.hour, minute=here.minute,
        half="午前" if here.hour < 12 else "午後", hour12=here.hour if here.hour <= 12 else here.hour - 12,
    )  # fmt: skip
