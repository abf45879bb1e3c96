"""Devices: which are heard, pairing by code, renaming, taking a token away, and the kiosks' PIN."""

from datetime import datetime
from typing import Any

from flask import Response, current_app, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import DomainError, InvalidInput
from app.domain.roles import Function, Role
from app.models.people import AccessToken
from app.models.place import Counter, Hall
from app.services import access, devices, kiosk_staff
from app.services.access import Principal
from app.services.devices import Device, Health
from app.web import off_loop, security
from app.web.admin import typed
from app.web.admin.frame import (
    NUMBER,
    REFUSALS,
    act,
    blueprint,
    key,
    office_within,
    offices_within,
    page,
    refused,
    told,
)
from app.web.staff_frame import ROLE_NAMES

_ROLES = {Role.DISPLAY: "表示板", Role.KIOSK: "受付機"}
_FIELDS = ("code", "role", "place", "label", "pin", "again")


def _form() -> dict[str, str]:
    """The fields of these forms; whatever else was sent is not read."""
    return {name: request.form.get(name, "") for name in _FIELDS}


def _place(form: dict[str, str]) -> tuple[str, str | None, str | None]:
    """``office/hall/counter``; the hall empty for the whole office, the counter for all that stands on its own."""
    # An id is looked up as it stands, so nothing goes in that no database holds.
    office, _, within = typed.words(form["place"]).partition("/")
    hall, _, counter = within.partition("/")
    return office, hall or None, counter or None


def _shown(
    session: Session, *, error: DomainError | None = None, form: dict[str, str] | None = None,
    chosen: AccessToken | None = None,
) -> Response:  # fmt: skip
    who, at = security.caller(), security.now()
    offices = offices_within(session, who)
    found = devices.listed(session, who, at=at)
    halls = session.scalars(
        select(Hall).where(Hall.office_id.in_([each.id for each in offices])).order_by(Hall.position, Hall.id)
    ).all()
    counters = session.scalars(
        select(Counter).where(Counter.hall_id.in_([hall.id for hall in halls])).order_by(Counter.position, Counter.id)
    ).all()
    shown = [each for each in found if each.token.role in _ROLES]
    return page(
        session, "devices", area="devices", error=error, form=form, chosen=chosen, devices=shown,
        programs=[each for each in found if each.token.role not in _ROLES], roles=_ROLES | ROLE_NAMES,
        device_roles=_ROLES, halls=halls, hall_names={hall.id: hall.name for hall in halls}, counters=counters,
        counter_numbers={counter.id: counter.number for counter in counters},
        office_names={each.id: each.settings.get("short_name") or each.name for each in offices},
        worst=_worst(shown), counts={health: sum(each.health == health for each in shown) for health in Health},
        pins={each.id: bool(each.settings.get("kiosk_pin")) for each in offices},
    )  # fmt: skip


def _worst(found: list[Device]) -> Device | None:
    """The one device that somebody should walk to."""
    silent = [each for each in found if each.health is Health.SILENT]
    return max(silent, key=lambda each: each.token.seen_at or each.token.created_at) if silent else None


@blueprint.get("/devices", endpoint="devices")
@security.policy(Function.MANAGE_DEVICES)
def show() -> Response:
    """Every device, trouble first, and the form of pairing."""
    with security.database().snapshot() as session:
        return _shown(session)


@blueprint.get(f"/devices/<{NUMBER}:token>")
@security.policy(Function.MANAGE_DEVICES)
def device(token: int) -> Response:
    """One device: its name and place, and the way to take its token away."""
    with security.database().snapshot() as session:
        return _shown(session, chosen=devices.find(session, security.caller(), token))


def _again(error: DomainError, form: dict[str, str], token: int | None = None) -> Response:
    if not refused(error):
        raise error
    with security.database().snapshot() as session:
        gone = token is None or error.reason == "device_revoked"
        chosen = None if gone else devices.find(session, security.caller(), token or 0)
        return _shown(session, error=error, form=form, chosen=chosen)


@blueprint.post("/devices/pair")
@security.policy(Function.MANAGE_DEVICES)
def device_pair() -> Any:
    """Claim the code a device shows."""
    form = _form()
    office, hall, counter = _place(form)

    def work(session: Session, who: Principal, at: datetime) -> AccessToken:
        return devices.claim(
            session, by=who, code=form["code"], role=form["role"], office_id=office, hall_id=hall,
            counter_id=counter, label=form["label"], at=at, key=key(),
        )  # fmt: skip

    try:
        made = act(work)
    except REFUSALS as error:
        if error.reason == "code_unknown":
            act(lambda session, who, at: devices.note_wrong_code(session, who, at=at))
        return _again(error, form)
    return redirect(url_for("admin.device", token=made.id, done="paired"), 303)


@blueprint.post(f"/devices/<{NUMBER}:token>")
@security.policy(Function.MANAGE_DEVICES)
def device_change(token: int) -> Any:
    """Rename it, or move it to another hall or counter of its office."""
    form = _form()
    _, hall, counter = _place(form)

    def work(session: Session, who: Principal, at: datetime) -> AccessToken:
        return devices.change(
            session, by=who, token_id=token, label=form["label"], hall_id=hall, counter_id=counter, at=at, key=key()
        )

    try:
        act(work)
    except REFUSALS as error:
        return _again(error, form, token)
    return redirect(url_for("admin.device", token=token, done="saved"), 303)


@blueprint.post(f"/devices/<{NUMBER}:token>/revoke")
@security.policy(Function.MANAGE_DEVICES)
def device_revoke(token: int) -> Any:
    """Take the token away; the device shows a pairing code again."""
    try:
        act(lambda session, who, at: devices.revoke(session, by=who, token_id=token, at=at, key=key()))
    except REFUSALS as error:
        return _again(error, _form())
    return redirect(url_for("admin.devices", done="revoked"), 303)


@blueprint.post("/devices/<office>/pin")
@security.policy(Function.MANAGE_DEVICES)
def kiosk_pin(office: str) -> Any:
    """The PIN that opens the staff mode of the office's kiosks."""
    form = _form()
    with security.database().snapshot() as session:
        office_within(session, Function.MANAGE_DEVICES, office)
    try:
        hashed = _pin_hash(office, form["pin"], form["again"])
    except InvalidInput as error:
        return _again(error, form)

    def work(session: Session, who: Principal, at: datetime) -> None:
        office_within(session, Function.MANAGE_DEVICES, office)
        kiosk_staff.set_pin(session, office_id=office, pin_hash=hashed, actor=who.actor, at=at)
        told(session, who, "kiosk_pin_set", f"office:{office}", {"office": office}, at)

    act(work)
    return redirect(url_for("admin.devices", done="pin"), 303)


def _pin_hash(office: str, pin: str, again: str) -> str:
    if pin != again:
        raise InvalidInput("pin_differs", field="pin")
    try:
        checked = kiosk_staff.check_pin(pin)
    except InvalidInput as error:
        raise InvalidInput(error.reason, **(error.values | {"field": "pin"})) from None
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return off_loop.run(access.hash_password, kiosk_staff.pin_material(secret, office, checked))
