"""Boards and kiosks: paired by a six-digit code, each with one token that can be taken away.

A device without a token shows a code for ten minutes; staff who stand before it claim the code; the device then
fetches its token, once. Until it has, nobody holds the token: the row carries no hash that a secret could have.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound, TooMany
from app.domain.labels import label as checked_label
from app.domain.refs import token_hash
from app.domain.roles import Function, Role
from app.models.people import AccessToken, Pairing
from app.models.place import Counter, Hall
from app.services import access, audit
from app.services.access import Principal

CODE_LASTS = timedelta(minutes=10)
DEVICE_ROLES = (Role.DISPLAY, Role.KIOSK)
LABEL_LIMIT = 30
_MOST_CODES, _MOST_OF_ADDRESS = 1_000, 40
_LATE, _SILENT = timedelta(seconds=15), timedelta(seconds=30)


class Health(StrEnum):
    """How long a device has said nothing: up to 15 seconds, up to 30, longer, or since ever."""

    FINE = "fine"
    LATE = "late"
    SILENT = "silent"
    NEVER = "never"


_TROUBLE_FIRST = (Health.SILENT, Health.LATE, Health.FINE, Health.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A token in use. ``age``: seconds since it was last heard; None: never."""

    token: AccessToken
    health: Health
    age: int | None


def show_code(session: Session, *, device: str, draw: Callable[[], str], address: str, at: datetime) -> Pairing:
    """The code of the device with this secret, a fresh one when it has none that holds.

    ``draw`` gives six digits of chance. Raises TooMany when too many codes are out, of one address or of all.
    """
    _forget_old(session, at=at)
    found = session.get(Pairing, token_hash(device), populate_existing=True)
    if found is not None:
        return found
    out = select(func.count()).select_from(Pairing)
    if (session.scalar(out.where(Pairing.address == address)) or 0) >= _MOST_OF_ADDRESS or (
        session.scalar(out) or 0
    ) >= _MOST_CODES:
        raise TooMany("pairing_crowded", retry_after=60)
    taken = set(session.scalars(select(Pairing.code)))
    code = next(code for code in iter(draw, "") if code not in taken)
    found = Pairing(
        device_hash=token_hash(device), code=code, address=address, created_at=at, expires_at=at + CODE_LASTS
    )
    session.add(found)
    session.flush()
    return found


def _forget_old(session: Session, *, at: datetime) -> None:
    """Codes past their time, and tokens that were granted but never fetched."""
    old = select(Pairing.token_id).where(Pairing.expires_at <= at, Pairing.token_id.is_not(None))
    session.execute(update(AccessToken).where(AccessToken.id.in_(old)).values(revoked_at=at))
    session.execute(delete(Pairing).where(Pairing.expires_at <= at))


def claimed(session: Session, device: str, *, at: datetime) -> bool | None:
    """Whether staff have claimed this device's code; None when it has none that holds."""
    found = session.get(Pairing, token_hash(device))
    return None if found is None or found.expires_at <= at else found.token_id is not None


def pairing_of(session: Session, device: str) -> Pairing | None:
    """The code this device shows."""
    return session.get(Pairing, token_hash(device))


def deliver(session: Session, *, device: str, token: str, at: datetime) -> AccessToken:
    """Give the device its token, once. Raises NotFound unless its code was claimed and not yet delivered."""
    found = session.get(Pairing, token_hash(device), with_for_update=True, populate_existing=True)
    if found is None or found.token_id is None or found.expires_at <= at:
        raise NotFound(what="pairing")
    row = session.get_one(AccessToken, found.token_id)
    session.delete(found)
    row.token_hash, row.seen_at = token_hash(token), at
    session.flush()
    return row


def look(session: Session, code: str, *, at: datetime) -> Pairing:
    """The device that shows a code. Raises InvalidInput ``bad_code`` or ``code_unknown``."""
    digits = "".join(unicodedata.normalize("NFKC", code).split()).replace("-", "")
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        raise InvalidInput("bad_code", field="code")
    query = select(Pairing).where(Pairing.code == digits).with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None or found.token_id is not None or found.expires_at <= at:
        raise InvalidInput("code_unknown", field="code")
    return found


def claim(
    session: Session, *, by: Principal, code: str, role: str, office_id: str, hall_id: str | None, label: str,
    at: datetime, key: bytes, counter_id: str | None = None,
) -> AccessToken:  # fmt: skip
    """Make the device that shows ``code`` a board or kiosk of the place; a code works once.

    A display with a counter stands above it. Raises InvalidInput (``bad_code``, ``code_unknown``, ``unknown_role``,
    ``not_at_a_counter`` for a kiosk with a counter, ``empty``, ``too_long``, ``bad_text``), NotFound for a place
    elsewhere, TooMany after five wrong codes in five minutes (``note_wrong_code``).
    """
    access.require(session, by, Function.MANAGE_DEVICES, office_id=office_id)
    access.refuse_guessing(session, [_guesses(by)], at=at)
    if role not in DEVICE_ROLES:
        raise InvalidInput("unknown_role", field="role")
    hall_id = _check_place(session, role, office_id, hall_id, counter_id)
    name = checked_label(label, field="label", limit=LABEL_LIMIT)
    pairing = look(session, code, at=at)
    row = AccessToken(
        # Not the form of any hash: nobody can present this token before it is delivered.
        token_hash=f"undelivered:{pairing.device_hash}", municipality_id=by.municipality_id, office_id=office_id,
        hall_id=hall_id, counter_id=counter_id, role=Role(role), label=name, created_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    pairing.token_id = row.id
    _told(session, row, "device_paired", by=by, details=_facts(row) | {"from": pairing.address}, at=at, key=key)
    return row


def _guesses(by: Principal) -> str:
    return f"pair:{by.actor}"


def note_wrong_code(session: Session, by: Principal, *, at: datetime) -> None:
    """Count a wrong code, in a transaction of its own: the refused one leaves nothing behind."""
    access.record_failure(session, [_guesses(by)], at=at)


def _check_place(
    session: Session, role: str, office_id: str, hall_id: str | None, counter_id: str | None
) -> str | None:
    """The hall the device stands in: that of its counter, if it is to stand above one."""
    if counter_id is not None:
        if role != Role.DISPLAY:
            raise InvalidInput("not_at_a_counter", field="place")
        counter = session.get(Counter, counter_id)
        if counter is None or counter.office_id != office_id or hall_id not in (None, counter.hall_id):
            raise NotFound(what="counter")
        return counter.hall_id
    hall = session.get(Hall, hall_id) if hall_id is not None else None
    if hall_id is not None and (hall is None or hall.office_id != office_id):
        raise NotFound(what="hall")
    return hall_id


def listed(session: Session, by: Principal, *, at: datetime) -> list[Device]:
    """The tokens in use within the caller's reach, trouble first: devices and programs alike."""
    access.require(session, by, Function.MANAGE_DEVICES)
    query = select(AccessToken).where(
        AccessToken.municipality_id == by.municipality_id, AccessToken.revoked_at.is_(None)
    )
    if by.office_id is not None:
        query = query.where(AccessToken.office_id == by.office_id)
    found = [_device(row, at) for row in session.scalars(query.order_by(AccessToken.label, AccessToken.id))]
    return sorted(found, key=lambda device: _TROUBLE_FIRST.index(device.health))


def _device(row: AccessToken, at: datetime) -> Device:
    if row.seen_at is None:
        return Device(token=row, health=Health.NEVER, age=None)
    silence = at - row.seen_at
    health = Health.FINE if silence <= _LATE else Health.LATE if silence <= _SILENT else Health.SILENT
    return Device(token=row, health=health, age=max(0, int(silence.total_seconds())))


def find(session: Session, by: Principal, token_id: int, *, hold: bool = False) -> AccessToken:
    """A token in use within the caller's reach, ``hold``: to be changed. NotFound, Conflict ``device_revoked``."""
    access.require(session, by, Function.MANAGE_DEVICES)
    row = session.get(AccessToken, token_id, with_for_update=hold, populate_existing=True)
    if row is None or row.municipality_id != by.municipality_id or by.office_id not in (None, row.office_id):
        raise NotFound(what="device")
    if row.revoked_at is not None:
        raise Conflict("device_revoked")
    return row


def change(
    session: Session, *, by: Principal, token_id: int, label: str, hall_id: str | None, at: datetime, key: bytes,
    counter_id: str | None = None,
) -> AccessToken:  # fmt: skip
    """Rename a device, or move it to another hall or counter of its office (errors as ``claim``)."""
    row = find(session, by, token_id, hold=True)
    name = checked_label(label, field="label", limit=LABEL_LIMIT)
    if hall_id is not None and row.office_id is None:
        raise NotFound(what="hall")
    hall_id = _check_place(session, row.role, row.office_id or "", hall_id, counter_id)
    before = _facts(row)
    row.label, row.hall_id, row.counter_id = name, hall_id, counter_id
    if _facts(row) != before:
        details = {"before": before, "after": _facts(row)}
        _told(session, row, "device_changed", by=by, details=details, at=at, key=key)
    return row


def revoke(session: Session, *, by: Principal, token_id: int, at: datetime, key: bytes) -> AccessToken:
    """Take the token away; the device shows a pairing code again. Raises Conflict ``device_revoked``."""
    row = find(session, by, token_id, hold=True)
    row.revoked_at = at
    session.execute(delete(Pairing).where(Pairing.token_id == row.id))
    _told(session, row, "device_revoked", by=by, details=_facts(row), at=at, key=key)
    return row


def heard(session: Session, seen: Mapping[int, datetime]) -> None:
    """Write down when devices were last heard; many at once, so that a hundred devices cost one transaction."""
    for token_id, at in sorted(seen.items()):
        later = (AccessToken.seen_at.is_(None)) | (AccessToken.seen_at < at)
        session.execute(update(AccessToken).where(AccessToken.id == token_id, later).values(seen_at=at))


def _facts(row: AccessToken) -> dict[str, str | None]:
    place = {"office": row.office_id, "hall": row.hall_id, "counter": row.counter_id}
    return {"role": row.role, "label": row.label} | place


def _told(
    session: Session, row: AccessToken, action: str, *, by: Principal, details: Mapping[str, object], at: datetime,
    key: bytes,
) -> None:  # fmt: skip
    audit.record(
        session, municipality_id=row.municipality_id, actor=by.actor, action=action, subject=f"device:{row.id}",
        details={"office": row.office_id} | dict(details), at=at, key=key,
    )  # fmt: skip
