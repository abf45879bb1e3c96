"""Opening hours as content staff edit: rules, closures of every year, special days.

Keys of the content (see drafts.py), values being mappings:
``rule.ID`` ``{days, open, close, reception_close, nth, season, categories, note}`` ·
``closure.ID`` ``{from, to, name}`` · ``special.YYYY-MM-DD`` ``{intervals, categories, note}``, no interval: closed ·
``holidays`` ``{"closed": bool}`` whether national holidays are closed.
Times are ``HH:MM``, days ``mon`` … ``sun``, seasons ``{from: MM-DD, to: MM-DD}``, notes words by language.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, time
from typing import Any, cast

from app.domain.calendar import WEEKDAYS, Interval, MonthDay, OpeningCalendar, Rule, Season
from app.domain.drafts import Content, Fault, part

NOTE_LIMIT = 40


def opening_calendar(content: Content, holiday: Callable[[date], str | None]) -> OpeningCalendar:
    """The calendar of a content without faults; ``holiday`` names national holidays."""
    closed = _mapping(content.get("holidays", {"closed": True})).get("closed") is True
    return OpeningCalendar(
        rules=tuple(_rule(_mapping(value)) for _, value in sorted(part(content, "rule").items())),
        closures=tuple(_season(_mapping(value)) for value in part(content, "closure").values()),
        special={date.fromisoformat(day): _special(_mapping(value)) for day, value in part(content, "special").items()},
        holiday=holiday if closed else lambda _: None,
    )


def notes(content: Content, day: date, calendar: OpeningCalendar) -> list[Mapping[str, str]]:
    """What residents are told about the hours of this day, words by language: of its special day, else of its rules."""
    special = content.get(f"special.{day.isoformat()}")
    if special is not None:
        found = [_mapping(special).get("note")]
    elif not calendar.intervals(day):
        found = [
            _mapping(value).get("name")
            for value in part(content, "closure").values()
            if day in _season(_mapping(value))
        ]
    else:
        rules = [_mapping(value) for _, value in sorted(part(content, "rule").items())]
        found = [value.get("note") for value in rules if _rule(value).on(day)]
    return [cast("Mapping[str, str]", note) for note in found if note]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _season(value: Mapping[str, Any]) -> Season:
    return Season(first=MonthDay.parse(str(value["from"])), last=MonthDay.parse(str(value["to"])))


def _interval(value: Mapping[str, Any], categories: Collection[str]) -> Interval:
    closes = time.fromisoformat(str(value["close"]))
    reception = value.get("reception_close")
    return Interval(
        opens=time.fromisoformat(str(value["open"])),
        closes=closes,
        reception_closes=time.fromisoformat(str(reception)) if reception else closes,
        categories=frozenset(categories),
    )


def _rule(value: Mapping[str, Any]) -> Rule:
    season = value.get("season")
    return Rule(
        weekdays=frozenset(WEEKDAYS.index(day) for day in value["days"]),
        interval=_interval(value, value.get("categories", ())),
        nth=frozenset(value.get("nth", ())),
        season=_season(season) if season else None,
    )


def _special(value: Mapping[str, Any]) -> tuple[Interval, ...]:
    return tuple(_interval(item, value.get("categories", ())) for item in value.get("intervals", ()))


def faults(content: Content, *, categories: Collection[str]) -> list[Fault]:
    """Everything that stops a content from being published. ``categories``: those of the office."""
    return [fault for key, value in sorted(content.items()) for fault in _faults_of(key, value, categories)]


def _faults_of(key: str, value: object, categories: Collection[str]) -> Iterator[Fault]:
    kind, _, name = key.partition(".")
    entry = _mapping(value)
    try:
        if kind == "rule":
            yield from _interval_faults(key, _rule(entry).interval)
            if not entry["days"] or not set(entry.get("nth", ())) <= {1, 2, 3, 4, 5}:
                yield Fault(key=key, code="bad_days")
        elif kind == "closure":
            _season(entry)
        elif kind == "special":
            date.fromisoformat(name)
            yield from _special_faults(key, _special(entry))
        elif key != "holidays" or not isinstance(entry.get("closed"), bool):
            yield Fault(key=key, code="unknown_setting")
    except (KeyError, ValueError, TypeError):
        yield Fault(key=key, code="bad_hours")
        return
    unknown = sorted(set(entry.get("categories", ())) - set(categories))
    if unknown:
        yield Fault(key=key, code="unknown_category", values={"category": ", ".join(unknown)})
    note = _mapping(entry.get("note")).get("ja", "")
    if len(note) > NOTE_LIMIT:
        yield Fault(key=key, code="too_long", values={"limit": NOTE_LIMIT, "length": len(note)})


def _interval_faults(key: str, interval: Interval) -> Iterator[Fault]:
    if not interval.opens < interval.reception_closes <= interval.closes:
        yield Fault(key=key, code="closes_before_opens")


def _special_faults(key: str, intervals: tuple[Interval, ...]) -> Iterator[Fault]:
    for interval in intervals:
        yield from _interval_faults(key, interval)
    if any(after.opens < before.closes for before, after in itertools.pairwise(intervals)):
        yield Fault(key=key, code="intervals_overlap")
