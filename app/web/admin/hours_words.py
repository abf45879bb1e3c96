"""Opening hours in words: intervals, rules, and the changes of a draft."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import WEEKDAYS, Interval, japanese_date
from app.domain.drafts import Change, Fault
from app.models.place import Category, Office
from app.web.admin.frame import blueprint
from app.web.admin.kiosk_words import Row
from app.web.formats import day_words
from app.web.locale import language, plain, t

DAYS = dict(zip(WEEKDAYS, "月火水木金土日", strict=True))
_MARK = Markup("・")


@blueprint.app_template_filter("short_clock")
def short_clock(text: str) -> str:
    """``08:30`` as people write it, ``8:30``."""
    return text.removeprefix("0")


def intervals(found: Sequence[Interval]) -> Markup:
    """``8:30〜17:15`` of every interval, or closed."""
    if not found:
        return t("休み")
    return _MARK.join(f"{each.opens.hour}:{each.opens:%M}〜{each.closes.hour}:{each.closes:%M}" for each in found)


def month(first: date) -> str:
    """令和8年4月, April 2026 elsewhere."""
    if language() in ("ja", "ja-Hira"):
        return japanese_date(first, weekday=False).removesuffix("1日")
    return f"{first:%B %Y}"


def days_of(rule: Mapping[str, Any]) -> Markup:
    """``月・火・水``, ``第2・第4土曜``, with its season."""
    days = _MARK.join(t(DAYS[day]) for day in WEEKDAYS if day in rule.get("days", ()))
    nth = sorted(rule.get("nth") or ())
    if nth:
        days = t("第%(nth)s %(days)s曜", nth="・第".join(map(str, nth)), days=plain(days))
    season = rule.get("season")
    if season:
        days += Markup(" ") + span(season)
    return days


def span(season: Mapping[str, Any]) -> Markup:
    """``3/25〜4/5``."""
    return Markup("{}〜{}").format(*(_month_day(str(season[name])) for name in ("from", "to")))


def _month_day(text: str) -> str:
    month, _, day = text.partition("-")
    return f"{int(month)}/{int(day)}"


def _hours(entry: Mapping[str, Any]) -> Markup:
    return t(
        "%(open)s〜%(close)s(受付 %(last)sまで)", open=short_clock(str(entry["open"])),
        close=short_clock(str(entry["close"])), last=short_clock(str(entry.get("reception_close") or entry["close"])),
    )  # fmt: skip


def lines_of(entry: Mapping[str, Any], letters: Mapping[str, str]) -> Markup:
    """The letters of the lines an opening is for."""
    own = [letters.get(name, name) for name in entry.get("categories") or ()]
    return Markup.escape(" ".join(sorted(own))) if own else t("すべて")


def letters_of(session: Session, office_id: str) -> dict[str, str]:
    """The letter of each line of the office."""
    rows = session.execute(select(Category.id, Category.prefix).where(Category.office_id == office_id))
    return {row.id: row.prefix for row in rows}


def changes(
    session: Session, office: Office, found: Sequence[Change], *, faults: Sequence[Fault] | None = None
) -> list[Row]:
    """The changes as rows; hours have no warnings, so with ``faults`` there are none."""
    if faults is not None:
        return []
    letters = letters_of(session, office.id)
    return [_row(office, change, letters) for change in found]


def _row(office: Office, change: Change, letters: Mapping[str, str]) -> Row:
    kind, _, name = change.key.partition(".")
    asked: dict[str, Any] = {}
    entry: Any = change.after or change.before or {}
    match kind:
        case "special":
            what, asked = t("%(day)sの特別な時間", day=plain(day_words(date.fromisoformat(name)))), {"day": name}
        case "rule":
            what, asked = t("ふだんの時間: %(days)s", days=plain(days_of(entry))), {"rule": name}
        case "closure":
            what, asked = t("毎年の休み: %(days)s", days=plain(span(entry))), {"closure": name}
        case _:
            what = t("祝日")
    before, after = (_value(kind, value, letters) for value in (change.before, change.after))
    return Row(
        key=change.key, what=what, before=before, after=after, href=url_for("admin.hours", office=office.id, **asked)
    )


def _value(kind: str, value: Any, letters: Mapping[str, str]) -> Markup:
    if value is None:
        return t("ふだんのとおり") if kind == "special" else t("なし")
    match kind:
        case "special":
            said = _MARK.join(_hours(each) for each in value["intervals"]) if value["intervals"] else t("休み")
        case "rule":
            said = days_of(value) + Markup(" ") + _hours(value)
        case "closure":
            return span(value) + Markup(" {}").format((value.get("name") or {}).get("ja", ""))
        case _:
            return t("休み") if value.get("closed") else t("開く")
    if value.get("categories"):
        said += Markup(" {}").format(lines_of(value, letters))
    note = (value.get("note") or {}).get("ja")
    return said + (Markup(" 「{}」").format(note) if note else Markup(""))
