"""Opening hours: the month as it will be, the usual hours, and one day, rule or closure to edit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain import hours as rules
from app.domain.calendar import Interval, OpeningCalendar, business_date
from app.domain.drafts import Content, part
from app.domain.errors import DomainError, NotFound
from app.domain.roles import Function
from app.models.place import Office
from app.services import hours as opening
from app.services import opening_hours, publications
from app.services.publications import Draft, Kind
from app.web import security
from app.web.admin import hours_words, typed
from app.web.admin.frame import blueprint, office_within, page
from app.web.admin.kiosk import categories_of, languages_of
from app.web.formats import day_words
from app.web.locale import plain, t

_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A cell of the month. ``words``: what differs from most days; ``special``: the day has hours of its own."""

    day: date
    intervals: Sequence[Interval]
    words: Markup
    differs: bool
    special: bool
    drafted: bool


def parse_day(text: str) -> date:
    """A day of the address; NotFound for what is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotFound(what="day") from None
    if not _FIRST <= found <= _LAST:
        raise NotFound(what="day")
    return found


@blueprint.get("/hours/<office>", endpoint="hours")
@security.policy(Function.EDIT_PLACE)
def show_hours(office: str) -> Response:
    """The month, and what was chosen in it."""
    with security.database().snapshot() as session:
        return shown(session, office_within(session, Function.EDIT_PLACE, office))


def shown(
    session: Session, office: Office, *, error: DomainError | None = None, form: dict[str, Any] | None = None,
    asked: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The screen; ``asked``: which form (``day``, ``rule`` or ``closure``), from the address unless a form failed."""
    at = security.now()
    if asked is None:
        asked = {name: request.args[name] for name in ("day", "rule", "closure") if name in request.args}
    draft = opening_hours.draft(session, office.id)
    today = business_date(at)
    chosen = parse_day(asked["day"]) if "day" in asked else None
    first = _month(chosen or today)
    return page(
        session, "hours", area="hours", error=error, office=office, draft=draft, asked=asked, chosen=chosen,
        form=form or _form_of(draft.content, asked), first=first, today=today,
        weeks=_weeks(session, office, draft, first, at), before=_shift(first, -1), after=_shift(first, 1),
        rules=_rules(session, office, draft.content), closures=part(draft.content, "closure"),
        holidays=_holidays(draft.content), categories=categories_of(session, office.id),
        languages=languages_of(session, office), short=typed.SHORT, said=hours_words,
        version=publications.current(session, office.id, Kind.HOURS), note_limit=rules.NOTE_LIMIT,
        changed={change.key for change in draft.changes}, usual=_usual(session, office, draft.content, chosen),
        rows=hours_words.changes(session, office, draft.changes), era_month=hours_words.month,
        resident=_resident(session, office, draft.content, chosen),
    )  # fmt: skip


def _month(chosen: date) -> date:
    asked = request.args.get("month", "")
    return parse_day(f"{asked}-01") if asked else chosen.replace(day=1)


def _shift(first: date, months: int) -> str:
    number = first.year * 12 + first.month - 1 + months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _holidays(content: Content) -> bool:
    value = content.get("holidays")
    return isinstance(value, dict) and value.get("closed") is True


def _rules(session: Session, office: Office, content: Content) -> list[dict[str, Any]]:
    letters = hours_words.letters_of(session, office.id)
    return [
        {"id": name, "days": hours_words.days_of(value), "rule": value, "lines": hours_words.lines_of(value, letters)}
        for name, value in sorted(part(content, "rule").items())
        if isinstance(value, dict)
    ]


def _weeks(session: Session, office: Office, draft: Draft, first: date, at: Any) -> list[list[Day | None]]:
    """The month in weeks from Monday, None where another month is."""
    calendar = opening.calendar_of(session, office.id, content=draft.content)
    changed = {each.day for each in opening_hours.days_changed(session, office.id, at=at, days=400)}
    last = (first + timedelta(days=32)).replace(day=1)
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days)]
    most = _most(calendar, days)
    cells: list[Day | None] = [None] * first.weekday()
    cells += [_day(draft.content, calendar, day, most, drafted=day in changed) for day in days]
    cells += [None] * (-len(cells) % _WEEK)
    return [cells[start : start + _WEEK] for start in range(0, len(cells), _WEEK)]


def _most(calendar: OpeningCalendar, days: Sequence[date]) -> tuple[Interval, ...]:
    """The hours most open days of the month have."""
    counted = Counter(calendar.intervals(day) for day in days)
    counted.pop((), None)
    return counted.most_common(1)[0][0] if counted else ()


def _day(content: Content, calendar: OpeningCalendar, day: date, most: Sequence[Interval], *, drafted: bool) -> Day:
    found = calendar.intervals(day)
    special = f"special.{day.isoformat()}" in content
    if not found:
        # Closed by a special day, a closure, a holiday, or the weekly rules: the first with a name tells it.
        notes = rules.notes(content, day, calendar)
        name = notes[0].get("ja") if notes else calendar.holiday(day)
        words = Markup.escape(name) if name else t("休み")
    elif tuple(found) == tuple(most):
        words = Markup("")
    elif most and found[0].opens == most[0].opens:
        words = t("〜%(close)s", close=f"{found[-1].closes.hour}:{found[-1].closes:%M}")
    else:
        words = hours_words.intervals(found)
    weekly = any(not rule.nth and rule.season is None and rule.on(day) for rule in calendar.rules)
    return Day(
        day=day, intervals=found, words=words, special=special, drafted=drafted,
        differs=special or (bool(found) and not weekly),
    )  # fmt: skip


def _usual(session: Session, office: Office, content: Content, chosen: date | None) -> Sequence[Interval]:
    """What the chosen day would be without hours of its own."""
    if chosen is None:
        return ()
    without = {key: value for key, value in content.items() if key != f"special.{chosen.isoformat()}"}
    return opening.calendar_of(session, office.id, content=without).intervals(chosen)


def _resident(session: Session, office: Office, content: Content, chosen: date | None) -> dict[str, Any] | None:
    """What a resident would read about the chosen day."""
    if chosen is None:
        return None
    calendar = opening.calendar_of(session, office.id, content=content)
    found, day = calendar.intervals(chosen), day_words(chosen)
    said = t("%(day)sは、休みです", day=day)
    if found:
        said = t("%(day)sは、%(hours)sに開いています", day=day, hours=plain(hours_words.intervals(found)))
    return {"hours": said, "notes": rules.notes(content, chosen, calendar)}


def _form_of(content: Content, asked: dict[str, str]) -> dict[str, Any]:
    """The stored value of what was asked for, as the form has it; NotFound when there is none."""
    if "day" in asked:
        found: Any = content.get(f"special.{asked['day']}")
        kind = "usual" if found is None else "open" if found["intervals"] else "closed"
        return {"kind": kind} | _filled(found or {}, (found or {}).get("intervals") or [{}])
    if "rule" in asked:
        return _filled(_entry(content, "rule", asked["rule"]), [_entry(content, "rule", asked["rule"])])
    if "closure" in asked:
        entry = _entry(content, "closure", asked["closure"])
        return {"from": entry.get("from", ""), "to": entry.get("to", ""), "note": entry.get("name") or {}}
    return {}


def _entry(content: Content, kind: str, name: str) -> dict[str, Any]:
    if name == "new":
        return {}
    found = content.get(f"{kind}.{name}")
    if not isinstance(found, dict):
        raise NotFound(what=kind)
    return found


def _filled(entry: dict[str, Any], intervals: Sequence[dict[str, Any]]) -> dict[str, Any]:
    season = entry.get("season") or {}
    return {
        "intervals": list(intervals), "categories": entry.get("categories") or [], "note": entry.get("note") or {},
        "days": entry.get("days") or [], "nth": entry.get("nth") or [], "from": season.get("from", ""),
        "to": season.get("to", ""),
    }  # fmt: skip
