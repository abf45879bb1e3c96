"""The first screen of the kiosk as content staff edit: buttons, their words, order, times and colours (T1, T2, T4).

Keys of the content (see drafts.py), ID being the purpose's id:
``order`` list of ids · ``purpose.ID.title.LANG`` and ``purpose.ID.line.LANG`` text ·
``purpose.ID.category`` · ``purpose.ID.services`` list, the usual one first · ``purpose.ID.opens`` and
``.closes`` ``HH:MM`` · ``purpose.ID.hidden`` · ``purpose.ID.booked_only`` · ``colour.CATEGORY`` a name of ``PALETTE``
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import cast

from app.domain.calendar import OpeningCalendar, business_date, instant
from app.domain.drafts import Content, Fault, names, part

TITLE_LIMIT = 10
LINE_LIMIT = 16
_DAY = 24 * 60
# Two lines of 32 px on a button of 500 px hold about 40 Latin letters, the small line about 44.
FOREIGN_TITLE_LIMIT = 40
FOREIGN_LINE_LIMIT = 44

# Names, because pages carry no style of their own: the stylesheet knows these, each at least 4.5 : 1 on
# white (T6). Letter and shape carry the meaning, so that two alike do no harm.
PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "teal": "#00707a",
        "purple": "#6a3fa0",
        "magenta": "#a3195b",
        "brown": "#7a4b00",
        "green": "#2a6b2a",
        "slate": "#44546a",
        "rust": "#963c00",
        "olive": "#55600a",
        "charcoal": "#333333",
        "ink": "#1a1a1a",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One button. ``services``: what it may mean, the usual one first."""

    id: str
    category: str
    title: Mapping[str, str]
    services: tuple[str, ...]
    line: Mapping[str, str] = field(default_factory=dict)
    opens: time | None = None
    closes: time | None = None
    hidden: bool = False
    booked_only: bool = False

    def open_at(self, clock: time) -> bool:
        """It can be chosen at this time of day (T4), as far as its own times go."""
        return not (self.opens and clock < self.opens) and not (self.closes and clock >= self.closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Purposes in the order of the screen (hidden ones too), and the colour of each category."""

    purposes: tuple[Purpose, ...]
    colours: Mapping[str, str]


def layout(content: Content) -> Layout:
    """The layout of a content without faults; purposes missing in ``order`` come last."""
    order = {name: place for place, name in enumerate(_texts(content.get("order")))}
    ids = sorted(names(content, "purpose"), key=lambda name: (order.get(name, len(order)), name))
    colours = {name: str(value) for name, value in part(content, "colour").items()}
    return Layout(purposes=tuple(_purpose(content, name) for name in ids), colours=colours)


def _purpose(content: Content, name: str) -> Purpose:
    own = part(content, f"purpose.{name}")
    return Purpose(
        id=name,
        category=str(own.get("category", "")),
        title=_words(own, "title"),
        line=_words(own, "line"),
        services=_texts(own.get("services")),
        opens=_clock(own.get("opens")),
        closes=_clock(own.get("closes")),
        hidden=own.get("hidden") is True,
        booked_only=own.get("booked_only") is True,
    )


def _words(own: Content, name: str) -> dict[str, str]:
    return {language: str(text) for language, text in part(own, name).items()}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in cast("list[object]", value)) if isinstance(value, list) else ()


def _clock(value: object) -> time | None:
    return time.fromisoformat(value) if isinstance(value, str) and _CLOCK.fullmatch(value) else None


_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_FIELDS = {
    "category": str,
    "services": list,
    "opens": str,
    "closes": str,
    "hidden": bool,
    "booked_only": bool,
}


def faults(content: Content, *, services: Mapping[str, Collection[str]], languages: Collection[str]) -> list[Fault]:
    """Everything wrong with a content. ``services``: the office's categories with the services of each.

    Errors stop publishing; missing languages are warnings, the kiosk falls back to Japanese for them.
    """
    return [
        *_shape(content, languages),
        *_order(content),
        *(fault for name in names(content, "purpose") for fault in _purpose_faults(content, name, services, languages)),
        *_colours(content, services),
    ]


def _shape(content: Content, languages: Collection[str]) -> Iterator[Fault]:
    for key, value in content.items():
        parts = key.split(".")
        match parts:
            case ["order"]:
                good = isinstance(value, list)
            case ["colour", _]:
                good = isinstance(value, str)
            case ["purpose", _, "title" | "line", language]:
                good = isinstance(value, str) and language in languages
            case ["purpose", _, name] if name in _FIELDS:
                good = isinstance(value, _FIELDS[name])
            case _:
                good = False
        if not good:
            yield Fault(key=key, code="unknown_setting")


def _order(content: Content) -> Iterator[Fault]:
    order = _texts(content.get("order"))
    if len(set(order)) != len(order) or set(order) != set(names(content, "purpose")):
        yield Fault(key="order", code="order_incomplete")
    if all(purpose.hidden for purpose in layout(content).purposes):
        yield Fault(key="order", code="nothing_shown")


def _purpose_faults(
    content: Content, name: str, services: Mapping[str, Collection[str]], languages: Collection[str]
) -> Iterator[Fault]:
    at = f"purpose.{name}"
    purpose = _purpose(content, name)
    yield from _text_faults(at, purpose, languages)
    for field_name in ("opens", "closes"):
        value = content.get(f"{at}.{field_name}")
        if value is not None and _clock(value) is None:
            yield Fault(key=f"{at}.{field_name}", code="bad_clock")
    if purpose.opens and purpose.closes and purpose.opens >= purpose.closes:
        yield Fault(key=f"{at}.closes", code="closes_before_opens")
    if purpose.category not in services:
        yield Fault(key=f"{at}.category", code="unknown_category", values={"category": purpose.category})
        return
    unknown = [service for service in purpose.services if service not in services[purpose.category]]
    if unknown or not purpose.services:
        yield Fault(key=f"{at}.services", code="unknown_service", values={"services": ", ".join(unknown)})


def _text_faults(at: str, purpose: Purpose, languages: Collection[str]) -> Iterator[Fault]:
    if not purpose.title.get("ja", "").strip():
        yield Fault(key=f"{at}.title.ja", code="empty")
    for name, words in (("title", purpose.title), ("line", purpose.line)):
        for language, text in words.items():
            limit = limit_of(name, language)
            if len(shown(text)) > limit:
                key = f"{at}.{name}.{language}"
                yield Fault(key=key, code="too_long", values={"limit": limit, "length": len(shown(text))})
        missing = [language for language in languages if not words.get(language, "").strip()]
        if words and missing:
            yield Fault(
                key=f"{at}.{name}", code="missing_languages", values={"languages": ", ".join(missing)}, warning=True
            )


def limit_of(name: str, language: str) -> int:
    """How many characters of a ``title`` or ``line`` fit the button in a language, ruby not counted."""
    if language == "ja":
        return TITLE_LIMIT if name == "title" else LINE_LIMIT
    return FOREIGN_TITLE_LIMIT if name == "title" else FOREIGN_LINE_LIMIT


def shown(text: str) -> str:
    """A text as it takes room: without the readings 《…》."""
    return re.sub(r"《[^》]*》", "", text)


def _colours(content: Content, services: Mapping[str, Collection[str]]) -> Iterator[Fault]:
    for category, value in part(content, "colour").items():
        key = f"colour.{category}"
        if category not in services:
            yield Fault(key=key, code="unknown_category", values={"category": category})
        elif value not in PALETTE:
            yield Fault(key=key, code="bad_colour")


def times_today(calendar: OpeningCalendar, purpose: Purpose, day: date) -> tuple[tuple[time, time], ...]:
    """When a purpose can be chosen on a day: the reception hours of its category within its own times."""
    found = []
    for hours in calendar.intervals(day, purpose.category):
        first = max(hours.opens, purpose.opens or hours.opens)
        last = min(hours.reception_closes, purpose.closes or hours.reception_closes)
        if first < last:
            found.append((first, last))
    return tuple(found)


def next_choice(calendar: OpeningCalendar, purpose: Purpose, at: datetime, *, days: int = 60) -> datetime | None:
    """The first instant after ``at`` from which a purpose can be chosen; None within so many days."""
    today = business_date(at)
    for day in (today + timedelta(days=ahead) for ahead in range(days + 1)):
        for first, _ in times_today(calendar, purpose, day):
            if instant(day, first) > at:
                return instant(day, first)
    return None


def closed_times(purposes: Iterable[Purpose], service: str) -> list[list[int]]:
    """Minutes of the day in which none of the purposes that name a service can be chosen, ``[[from, until], …]``.

    Empty when no purpose names it: then only the hours of its category hold.
    """
    naming = [purpose for purpose in purposes if service in purpose.services]
    if not naming:
        return []
    opens = min(_minute(purpose.opens) if purpose.opens else 0 for purpose in naming)
    closes = max(_minute(purpose.closes) if purpose.closes else _DAY for purpose in naming)
    return [[first, last] for first, last in ((0, opens), (closes, _DAY)) if first < last]


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute
