"""What the forms of the opening hours save into the draft: a day, a rule, a closure, the holidays."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.orm import Session

from app.domain.calendar import WEEKDAYS
from app.domain.drafts import Content, Value, part
from app.domain.errors import DomainError, InvalidInput, NotFound
from app.domain.roles import Function
from app.models.place import Office
from app.services import opening_hours, training
from app.services.access import Principal
from app.web import security
from app.web.admin import typed
from app.web.admin.frame import act, blueprint, office_within, told
from app.web.admin.hours import parse_day, shown
from app.web.admin.kiosk import categories_of, languages_of

_MOST_ENTRIES = 60
# Beside which field of the form a reason is said.
_FIELD = {
    "closes_before_opens": "close", "intervals_overlap": "close", "bad_hours": "open", "too_long": "note",
    "bad_days": "days", "day_is_past": "day", "unknown_category": "categories", "bad_season": "season",
    "empty": "note",
}  # fmt: skip
Save = Callable[[Session, Office, str, datetime], dict[str, Any]]


def _saved(office: str, asked: dict[str, str], form: dict[str, Any], save: Save) -> Any:
    """Save it and go back to the month; or the form as it was sent, with the reason beside its field."""

    def work(session: Session, who: Principal, at: datetime) -> dict[str, Any]:
        place = office_within(session, Function.EDIT_PLACE, office)
        return save(session, place, who.actor, at)

    try:
        kept = act(work)
    except InvalidInput as error:
        told = InvalidInput(error.reason, **(error.values | {"field": _FIELD.get(error.reason, "")}))
        return _again(office, asked, form, told)
    return redirect(url_for("admin.hours", office=office, done="kept", **kept), 303)


def _again(office: str, asked: dict[str, str], form: dict[str, Any], error: DomainError) -> Response:
    with security.database().snapshot() as session:
        place = office_within(session, Function.EDIT_PLACE, office)
        return shown(session, place, error=error, form=form, asked=asked)


def _intervals() -> list[dict[str, str]]:
    """The intervals that were filled in; without an end of reception it is the end of the opening."""
    found = []
    for number in ("1", "2"):
        opens, closes, last = (
            typed.clock(request.form.get(f"{name}{number}", "")) for name in ("open", "close", "reception")
        )
        if opens or closes:
            found.append({"open": opens, "close": closes, "reception_close": last or closes})
    return found


def _notes() -> dict[str, str]:
    """Words by language; which languages there are is looked at when saving."""
    sent = {name.partition(".")[2]: typed.words(text) for name, text in request.form.items() if name[:5] == "note."}
    return {code: text for code, text in sent.items() if text and code in typed.WORD_LANGUAGES}


def _month_day(text: str) -> str:
    """``12/29``, ``１２-29`` and ``12月29日`` as ``12-29``; anything else as typed, to be refused."""
    found = re.fullmatch(r"(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?", unicodedata.normalize("NFKC", text).strip())
    return f"{int(found[1]):02d}-{int(found[2]):02d}" if found else text.strip()[:10]


def _form() -> dict[str, Any]:
    """Everything these forms know; whatever else was sent is not read."""
    return {
        "kind": request.form.get("kind", ""), "intervals": _intervals() or [{}],
        "categories": request.form.getlist("categories")[:_MOST_ENTRIES], "note": _notes(),
        "days": [day for day in WEEKDAYS if day in request.form.getlist("days")],
        "nth": sorted({int(each) for each in request.form.getlist("nth") if each in ("1", "2", "3", "4", "5")}),
        "from": _month_day(request.form.get("from", "")), "to": _month_day(request.form.get("to", "")),
    }  # fmt: skip


def _own(session: Session, office: Office, form: Mapping[str, Any], before: Any) -> dict[str, Any]:
    """Lines and words as they are stored; in the stored order when they are the same lines."""
    stored = list((before or {}).get("categories") or ())
    sent = [name for name in categories_of(session, office.id) if name in form["categories"]]
    unknown = set(form["categories"]) - set(sent)
    languages = languages_of(session, office)
    return {
        "categories": stored if set(stored) == set(form["categories"]) else sent + sorted(unknown),
        "note": {code: text for code, text in form["note"].items() if code in languages},
    }


@blueprint.post("/hours/<office>/day/<day>")
@security.policy(Function.EDIT_PLACE)
def hours_day(office: str, day: str) -> Any:
    """Let one day differ, close it, or leave it to the usual hours."""
    the_day, form = parse_day(day), _form()
    key = f"special.{the_day.isoformat()}"

    def save(session: Session, place: Office, actor: str, at: datetime) -> dict[str, Any]:
        content = opening_hours.draft(session, office).content
        if form["kind"] == "usual":
            opening_hours.edit(session, office_id=office, key=key, value=None, actor=actor, at=at)
        else:
            _special(session, place, the_day, form, content.get(key), actor, at)
        return {"day": the_day.isoformat()}

    return _saved(office, {"day": the_day.isoformat()}, form, save)


def _special(
    session: Session, office: Office, day: date, form: Mapping[str, Any], before: Value, actor: str, at: datetime
) -> None:
    intervals = [] if form["kind"] == "closed" else [each for each in form["intervals"] if each]
    if form["kind"] not in ("closed", "open") or (form["kind"] == "open" and not intervals):
        raise InvalidInput("bad_hours")
    own = _own(session, office, form, before)
    opening_hours.set_special_day(
        session, office_id=office.id, day=day, intervals=intervals, note=own["note"],
        categories=own["categories"] if intervals else [], actor=actor, at=at,
    )  # fmt: skip


def _key_of(content: Content, kind: str, name: str) -> str:
    """The key of an entry, a free one for a new entry. Raises NotFound, InvalidInput ``too_many_entries``."""
    known = part(content, kind)
    if name != "new":
        if name not in known:
            raise NotFound(what=kind)
        return f"{kind}.{name}"
    if len(known) >= _MOST_ENTRIES:
        raise InvalidInput("too_many_entries", most=_MOST_ENTRIES)
    return next(f"{kind}.{number:02}" for number in range(1, _MOST_ENTRIES + 2) if f"{number:02}" not in known)


@blueprint.post("/hours/<office>/rule/<rule>")
@security.policy(Function.EDIT_PLACE)
def hours_rule(office: str, rule: str) -> Any:
    """Hours that repeat on weekdays."""
    form = _form()

    def save(session: Session, place: Office, actor: str, at: datetime) -> dict[str, Any]:
        content = opening_hours.draft(session, office).content
        key = _key_of(content, "rule", rule)
        own, interval = _own(session, place, form, content.get(key)), form["intervals"][0]
        value = {
            "days": form["days"], "nth": form["nth"], "season": _season(form), "categories": own["categories"],
            "note": own["note"] or None, **(interval or {"open": "", "close": "", "reception_close": ""}),
        }  # fmt: skip
        opening_hours.edit(session, office_id=office, key=key, value=value, actor=actor, at=at)
        return {"rule": key.partition(".")[2]}

    return _saved(office, {"rule": rule}, form, save)


def _season(form: Mapping[str, Any]) -> dict[str, str] | None:
    if not form["from"] and not form["to"]:
        return None
    for name in ("from", "to"):
        try:
            date.fromisoformat(f"2024-{form[name]}")
        except ValueError:
            raise InvalidInput("bad_season") from None
    return {"from": form["from"], "to": form["to"]}


@blueprint.post("/hours/<office>/closure/<closure>")
@security.policy(Function.EDIT_PLACE)
def hours_closure(office: str, closure: str) -> Any:
    """Days of every year on which the office is closed."""
    form = _form()

    def save(session: Session, place: Office, actor: str, at: datetime) -> dict[str, Any]:
        content = opening_hours.draft(session, office).content
        key, season = _key_of(content, "closure", closure), _season(form)
        if season is None:
            raise InvalidInput("bad_season")
        name = _own(session, place, form, None)["note"]
        if not name.get("ja"):
            raise InvalidInput("empty")
        opening_hours.edit(session, office_id=office, key=key, value=season | {"name": name}, actor=actor, at=at)
        return {"closure": key.partition(".")[2]}

    return _saved(office, {"closure": closure}, form, save)


@blueprint.post("/hours/<office>/<any(rule, closure):kind>/<name>/remove")
@security.policy(Function.EDIT_PLACE)
def hours_remove(office: str, kind: str, name: str) -> Any:
    """Take a rule or a closure out of the draft's hours."""

    def save(session: Session, place: Office, actor: str, at: datetime) -> dict[str, Any]:
        if name not in part(opening_hours.draft(session, place.id).content, kind):
            raise NotFound(what=kind)
        opening_hours.edit(session, office_id=office, key=f"{kind}.{name}", value=None, actor=actor, at=at)
        return {}

    return _saved(office, {kind: name}, {}, save)


@blueprint.post("/hours/<office>/training")
@security.policy(Function.EDIT_PLACE)
def hours_training(office: str) -> Any:
    """Numbers for practice at every hour, or the hours again; at once, without a draft: it is no rule of the hours."""
    asked = request.form.get("on")
    if asked not in ("yes", "no"):
        raise InvalidInput("invalid_input", fields=["on"])
    on = asked == "yes"

    def work(session: Session, who: Principal, at: datetime) -> None:
        place = office_within(session, Function.EDIT_PLACE, office)
        if training.switch(session, place.id, on=on, actor=who.actor, at=at):
            action = "training_begun" if on else "training_ended"
            told(session, who, action, f"office:{place.id}", {"office": place.id}, at)

    act(work)
    return redirect(url_for("admin.hours", office=office, done="training" if on else "serving"), 303)


@blueprint.post("/hours/<office>/holidays")
@security.policy(Function.EDIT_PLACE)
def hours_holidays(office: str) -> Any:
    """Whether national holidays are closed."""
    closed = request.form.get("closed") == "yes"

    def save(session: Session, place: Office, actor: str, at: datetime) -> dict[str, Any]:
        opening_hours.edit(session, office_id=place.id, key="holidays", value={"closed": closed}, actor=actor, at=at)
        return {}

    return _saved(office, {}, {}, save)
