"""The acts of the roster's forms: place, move, undo, search, take what was found, publish, go back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput
from app.services import audit, roster_searches, rosters
from app.services.access import Principal
from app.services.rosters import Sheet
from app.web import security
from app.web.manage.roster_seen import Seen

Form = Mapping[str, str]
_MOST_SECONDS = 120


def perform(session: Session, look: Seen, form: Form, *, who: Principal) -> None:
    """Do what a form asks for. Raises InvalidInput for an act that is none, and what the acts raise."""
    act = _ACTS.get(form.get("action", ""))
    if act is None:
        raise InvalidInput(fields=["action"])
    act(session, look, form, who)


def _number(form: Form, name: str) -> int:
    text = form.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("bad_roster_change")
    return int(text)


def _given(form: Form, who: Principal, look: Seen) -> dict[str, Any]:
    return {"version": _number(form, "version"), "actor": who.actor, "at": look.at}


def _place(session: Session, look: Seen, form: Form, who: Principal) -> None:
    rosters.place(
        session, look.sheet, member=form.get("member", ""), since=_number(form, "since"), until=_number(form, "until"),
        work=form.get("work", ""), **_given(form, who, look),
    )  # fmt: skip


def _move(session: Session, look: Seen, form: Form, who: Principal) -> None:
    rosters.move(
        session, look.sheet, member=form.get("member", ""), since=_number(form, "since"), until=_number(form, "until"),
        to=form.get("to", ""), begin=_number(form, "begin"), **_given(form, who, look),
    )  # fmt: skip


def _undo(session: Session, look: Seen, form: Form, who: Principal) -> None:
    rosters.undo(session, look.sheet, **_given(form, who, look))


def _search(session: Session, look: Seen, form: Form, who: Principal) -> None:
    seconds = _number(form, "seconds") if form.get("seconds") else 30
    roster_searches.ask(
        session, office_id=look.office.id, day=look.day, seconds=min(seconds, _MOST_SECONDS),
        token=security.fresh_secret(), actor=who.actor, at=look.at,
    )  # fmt: skip


def _stop(session: Session, look: Seen, form: Form, who: Principal) -> None:  # noqa: ARG001 - the shape of an act
    roster_searches.stop(session, office_id=look.office.id, day=look.day, at=look.at)


def _use(session: Session, look: Seen, form: Form, who: Principal) -> None:
    if look.search is None or not look.search.found:
        raise Conflict("roster_changed")
    rosters.use(session, look.sheet, rosters.shifts_of(look.sheet.plan, look.search.found), **_given(form, who, look))


def _back(session: Session, look: Seen, form: Form, who: Principal) -> None:
    rosters.go_back(session, look.sheet, **_given(form, who, look))


def _publish(session: Session, look: Seen, form: Form, who: Principal) -> None:
    """In force, and in the audit log: who published which day, and for how many it changes."""
    changed = rosters.publish(session, look.sheet, **_given(form, who, look))
    audit.record(
        session, municipality_id=who.municipality_id, actor=who.actor, action="roster_published",
        subject=f"roster:{look.office.id}:{look.day.isoformat()}", at=look.at,
        key=audit.chain_key(current_app.config["SECRET_KEY"]),
        details={"office": look.office.id, "day": look.day.isoformat(), "people": len(changed)},
    )  # fmt: skip


def as_published(sheet: Sheet) -> Sheet:
    """The sheet as it is in force; whoever is not in it has an empty day."""
    empty = ("",) * len(sheet.plan.starts)
    return replace(sheet, shifts={who: sheet.published.get(who, empty) for who in sheet.members})


_ACTS: Mapping[str, Callable[[Session, Seen, Form, Principal], None]] = MappingProxyType(
    {
        "place": _place, "move": _move, "undo": _undo, "search": _search, "stop": _stop, "use": _use, "back": _back,
        "publish": _publish,
    }
)  # fmt: skip
