"""What kiosk and hours have in common: take a change back, drop the draft, publish it, go back to a version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.drafts import Fault, blocking
from app.domain.errors import Conflict, DomainError, InvalidInput
from app.domain.roles import Function
from app.domain.ticket import State
from app.models.people import Account
from app.models.place import Office
from app.models.ticket import Step
from app.services import kiosk_layout, opening_hours, publications, requests, withdrawn_lines
from app.services.access import Principal
from app.services.publications import Draft, Kind
from app.web import security
from app.web.admin import hours_words, kiosk_words, typed
from app.web.admin.frame import act, blueprint, office_within, page, told
from app.web.errors import sentence
from app.web.locale import plain, t

_KIND = "any(kiosk, hours)"
_WORDS = {Kind.KIOSK: kiosk_words.changes, Kind.HOURS: hours_words.changes}


def _faults(session: Session, office: str, kind: Kind, draft: Draft) -> Sequence[Fault]:
    faults = kiosk_layout.faults if kind is Kind.KIOSK else opening_hours.faults
    return faults(session, office, draft.content)


def waiting_now(session: Session, office: str, at: datetime) -> int:
    """How many people wait in the office at this moment; publishing does not send them away."""
    query = select(func.count()).where(
        Step.office_id == office, Step.business_date == business_date(at), Step.state == State.WAITING
    )
    return session.scalar(query) or 0


def author(session: Session, actor: str) -> str:
    """The name of whoever published, as events name them."""
    if actor == "setup":
        return plain(t("はじめの設定"))
    kind, _, number = actor.partition(":")
    found = session.get(Account, int(number)) if kind == "staff" and number.isdigit() else None
    return found.name if found else actor


def _shown(session: Session, place: Office, kind: Kind, error: DomainError | None = None) -> Response:
    """What would change, what is wrong with it, and the button."""
    at = security.now()
    draft, version = publications.draft(session, place.id, kind), publications.current(session, place.id, kind)
    faults = _faults(session, place.id, kind, draft)
    days = opening_hours.days_changed(session, place.id, at=at) if kind is Kind.HOURS and not blocking(faults) else []
    return page(
        session, "publish", area=kind, error=error, office=place, kind=kind, version=version,
        author=author(session, version.published_by), rows=_WORDS[kind](session, place, draft.changes),
        faults=[_said(fault) for fault in blocking(faults)],
        warnings=_WORDS[kind](session, place, draft.changes, faults=[each for each in faults if each.warning]),
        days=days, stranded=[each for each in days if each.stranded],
        withdrawn=withdrawn_lines.find(session, place.id, at=at), hours_said=hours_words.intervals,
        waiting=waiting_now(session, place.id, at),
    )  # fmt: skip


def _said(fault: Fault) -> dict[str, Any]:
    return {"key": fault.key, "said": sentence(fault.code, dict(fault.values))}


@blueprint.get(f"/<{_KIND}:kind>/<office>/publish")
@security.policy(Function.EDIT_PLACE)
def ask_publish(kind: str, office: str) -> Response:
    """Ask first, with every change before and after."""
    with security.database().snapshot() as session:
        place = office_within(session, Function.EDIT_PLACE, office)
        return _shown(session, place, Kind(kind))


def _stranding() -> int:
    """How many bookings outside the new hours the form said there are, ticked by whoever publishes."""
    said = request.form.get("stranding", "0")
    return int(said) if said.isdecimal() and len(said) <= 6 else 0


@blueprint.post(f"/<{_KIND}:kind>/<office>/publish")
@security.policy(Function.EDIT_PLACE)
def publish(kind: str, office: str) -> Any:
    """Put the draft in force, once for the form's key, if nobody has published since it was looked at."""
    based_on = request.form.get("based_on", "")
    if not based_on.isdecimal() or len(based_on) > 9:
        raise InvalidInput()
    asked = security.idempotency()

    def work(session: Session, who: Principal, at: datetime) -> None:
        place = office_within(session, Function.EDIT_PLACE, office)
        known: dict[str, Any] = {"office_id": place.id, "based_on": int(based_on), "actor": who.actor, "at": at}

        def once() -> dict[str, Any]:
            if kind == Kind.KIOSK:
                made = kiosk_layout.publish(session, **known)
            else:
                made = opening_hours.publish(session, **known, stranding=_stranding())
            details = {"office": office, "version": made.version, "keys": [item["key"] for item in made.changes]}
            told(session, who, f"{kind}_published", f"office:{office}", details, at)
            return {"version": made.version}

        requests.once(session, asked, at=at, work=once)

    try:
        act(work)
    except (InvalidInput, Conflict) as error:
        with security.database().snapshot() as session:
            return _shown(session, office_within(session, Function.EDIT_PLACE, office), Kind(kind), error)
    return redirect(url_for(f"admin.{kind}", office=office, done="published"), 303)


@blueprint.post(f"/<{_KIND}:kind>/<office>/take-back")
@security.policy(Function.EDIT_PLACE)
def take_back(kind: str, office: str) -> Any:
    """Drop one change of the draft, the others stay."""

    def work(session: Session, _who: Principal, _at: datetime) -> None:
        office_within(session, Function.EDIT_PLACE, office)
        key = typed.words(request.form.get("key", ""))
        publications.take_back(session, office_id=office, kind=Kind(kind), key=key)

    act(work)
    to = "admin.ask_publish" if request.form.get("to") == "publish" else f"admin.{kind}"
    place: dict[str, Any] = {"kind": kind} if to == "admin.ask_publish" else {}
    return redirect(url_for(to, office=office, done="taken_back", **place), 303)


@blueprint.get(f"/<{_KIND}:kind>/<office>/discard")
@security.policy(Function.EDIT_PLACE)
def ask_discard(kind: str, office: str) -> Response:
    """Ask before the whole draft is dropped."""
    with security.database().snapshot() as session:
        place = office_within(session, Function.EDIT_PLACE, office)
        draft = publications.draft(session, office, Kind(kind))
        rows = _WORDS[Kind(kind)](session, place, draft.changes)
        return page(session, "discard", area=kind, office=place, kind=kind, rows=rows)


@blueprint.post(f"/<{_KIND}:kind>/<office>/discard")
@security.policy(Function.EDIT_PLACE)
def discard(kind: str, office: str) -> Any:
    """Drop the whole draft."""

    def work(session: Session, _who: Principal, _at: datetime) -> None:
        office_within(session, Function.EDIT_PLACE, office)
        publications.discard(session, office_id=office, kind=Kind(kind))

    act(work)
    return redirect(url_for(f"admin.{kind}", office=office, done="discarded"), 303)


@blueprint.get(f"/<{_KIND}:kind>/<office>/history")
@security.policy(Function.EDIT_PLACE)
def history(kind: str, office: str) -> Response:
    """Published versions, newest first, each with what it changed."""
    with security.database().snapshot() as session:
        place = office_within(session, Function.EDIT_PLACE, office)
        found = [
            {
                "version": each, "by": author(session, each.published_by),
                "rows": _WORDS[Kind(kind)](session, place, publications.changes_of(each)),
            }
            for each in publications.history(session, office, Kind(kind))
        ]  # fmt: skip
        return page(session, "history", area=kind, office=place, kind=kind, versions=found)


@blueprint.post(f"/<{_KIND}:kind>/<office>/restore")
@security.policy(Function.EDIT_PLACE)
def restore(kind: str, office: str) -> Any:
    """Make the draft equal to an earlier version, to be looked at and published."""
    version = request.form.get("version", "")
    if not version.isdecimal() or len(version) > 9:
        raise InvalidInput()

    def work(session: Session, who: Principal, at: datetime) -> None:
        office_within(session, Function.EDIT_PLACE, office)
        publications.restore(session, office_id=office, kind=Kind(kind), version=int(version), actor=who.actor, at=at)

    act(work)
    return redirect(url_for("admin.ask_publish", kind=kind, office=office, done="restored"), 303)
