"""Staff mode of a kiosk (T3): the PIN, the short time it opens for, and what is done in it.

A try is written down before the PIN is looked at, under the machine's row, so that many tries at once are many
tries. Every act is one event of the office, with the machine as its actor.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Forbidden, InvalidInput, NotFound, TooMany
from app.domain.refs import normal_number, token_hash
from app.models.people import AccessToken, SignInAttempt
from app.models.place import Category, Office
from app.models.ticket import Event, Ticket
from app.services import events, lines, queue

OPEN_FOR = timedelta(minutes=2)
MOST_TRIES, LOCKED_FOR = 5, timedelta(minutes=10)
# All machines of an office together: ten of them cannot be tried in turn all day.
_MOST_OF_OFFICE, _OFFICE_WITHIN = 60, timedelta(hours=1)
SHORTEST_PIN, LONGEST_PIN = 6, 12
REASONS = ("issued_wrongly", "left", "other_purpose", "trial")
PAPER, PRINTER = ("ok", "out"), ("on", "off")
ROLL = 400
LOW_BELOW = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The machine as staff see it. ``left``: tickets that still fit on the roll, estimated; None: not known."""

    issued_today: int
    last_number: str | None
    last_at: datetime | None
    left: int | None

    @property
    def low(self) -> bool:
        return self.left is not None and self.left < LOW_BELOW


def pin_material(secret: bytes, office_id: str, pin: str) -> str:
    """What is hashed and stored for a PIN: keyed, since six digits alone are tried through in an hour."""
    return hmac.new(secret, f"kiosk pin:{office_id}:{pin}".encode(), hashlib.sha256).hexdigest()


def check_pin(pin: str) -> str:
    """A PIN as it may be set; raises InvalidInput ``bad_pin``."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN) or len(set(pin)) < 3:
        raise InvalidInput("bad_pin", least=SHORTEST_PIN)
    return pin


def set_pin(session: Session, *, office_id: str, pin_hash: str, actor: str, at: datetime) -> None:
    """A new PIN for the kiosks of an office; staff modes that are open end."""
    office = events.lock_office(session, office_id)
    office.settings = office.settings | {"kiosk_pin": pin_hash}
    for device in session.scalars(select(AccessToken).where(AccessToken.office_id == office_id)):
        if "staff" in device.settings:
            device.settings = _without(device.settings, "staff")
    events.append(session, office, action="kiosk_pin", actor=actor, at=at)


def _without(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != name}


def device(session: Session, token_id: int) -> AccessToken:
    """The machine's row, held; after the office's lock where both are taken. Raises NotFound when it is revoked.

    ``session.info["unguarded"]`` is set only by the negative control of the race test, as for the office's lock.
    """
    held = not session.info.get("unguarded")
    row = session.get(AccessToken, token_id, with_for_update=held, populate_existing=True)
    if row is None or row.revoked_at is not None:
        raise NotFound(what="device")
    return row


def _subject(office_id: str, token_id: int | None = None) -> str:
    return f"kiosk-pin:{office_id}:" + (str(token_id) if token_id is not None else "")


def locked_until(session: Session, *, office_id: str, token_id: int, at: datetime) -> datetime | None:
    """Until when no PIN is looked at on this machine; None when one may be tried."""
    mine = session.scalars(
        select(SignInAttempt.at)
        .where(SignInAttempt.subject == _subject(office_id, token_id), SignInAttempt.at > at - LOCKED_FOR)
        .order_by(SignInAttempt.at.desc())
    ).all()
    if len(mine) >= MOST_TRIES:
        return mine[0] + LOCKED_FOR
    of_office = session.scalar(
        select(func.count()).where(
            SignInAttempt.subject.startswith(_subject(office_id), autoescape=True),
            SignInAttempt.at > at - _OFFICE_WITHIN,
        )
    )
    return at + LOCKED_FOR if (of_office or 0) >= _MOST_OF_OFFICE else None


def begin(session: Session, *, office_id: str, token_id: int, at: datetime) -> str | None:
    """Write a try down; returns the stored hash to verify against. Raises TooMany ``pin_locked``."""
    office = events.lock_office(session, office_id)
    device(session, token_id)
    until = locked_until(session, office_id=office_id, token_id=token_id, at=at)
    if until is not None:
        raise TooMany("pin_locked", retry_after=max(1, int((until - at).total_seconds())))
    session.add(SignInAttempt(subject=_subject(office_id, token_id), at=at))
    found: str | None = office.settings.get("kiosk_pin")
    return found


def actor_of(row: AccessToken) -> str:
    """How events name the machine, as ``Principal.actor`` does."""
    return f"token:{row.id}"


def failed(session: Session, *, office_id: str, token_id: int, at: datetime) -> None:
    """The PIN of the try was wrong; the event says when that locked the machine."""
    office = events.lock_office(session, office_id)
    row = device(session, token_id)
    locked = locked_until(session, office_id=office_id, token_id=token_id, at=at) is not None
    reason = "locked" if locked else None
    events.append(session, office, action="kiosk_pin_wrong", actor=actor_of(row), at=at, reason=reason)


def complete(session: Session, *, office_id: str, token_id: int, key: str, at: datetime) -> None:
    """The PIN was right: open staff mode under the fresh ``key`` and forget the machine's wrong tries."""
    office = events.lock_office(session, office_id)
    row = device(session, token_id)
    session.execute(delete(SignInAttempt).where(SignInAttempt.subject == _subject(office_id, token_id)))
    row.settings = row.settings | {"staff": {"key": token_hash(key), "until": (at + OPEN_FOR).isoformat()}}
    events.append(session, office, action="kiosk_staff", actor=actor_of(row), at=at)


def is_open(row: AccessToken, key: str | None, *, at: datetime) -> bool:
    """Staff mode is open on this machine, for the browser that holds the key, and was used within two minutes."""
    staff = row.settings.get("staff")
    if not staff or not key:
        return False
    return hmac.compare_digest(staff["key"], token_hash(key)) and datetime.fromisoformat(staff["until"]) > at


def keep_open(session: Session, *, token_id: int, key: str | None, at: datetime) -> AccessToken:
    """Another two minutes from now. Raises Forbidden ``staff_mode_over``."""
    row = device(session, token_id)
    if not is_open(row, key, at=at):
        raise Forbidden("staff_mode_over")
    row.settings = row.settings | {"staff": row.settings["staff"] | {"until": (at + OPEN_FOR).isoformat()}}
    return row


def leave(session: Session, *, token_id: int) -> None:
    """End staff mode; leaving twice is leaving."""
    row = device(session, token_id)
    row.settings = _without(row.settings, "staff")


def ticket_of(session: Session, office_id: str, number: str, *, at: datetime) -> Ticket | None:
    """Today's ticket of a number as typed; None when there is none."""
    try:
        return lines.find_number(session, office_id, normal_number(number), at=at)
    except NotFound:
        return None


def categories(session: Session, office_id: str) -> dict[str, Category]:
    """The lines of an office by id, in their order."""
    rows = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position))
    return {category.id: category for category in rows}


def cancel(session: Session, *, office_id: str, number: str, reason: str, actor: str, at: datetime) -> Ticket:
    """Cancel a number that waits, with a reason; again, it stays cancelled.

    Raises NotFound, InvalidInput ``reason_required``, IllegalTransition while it is at a counter.
    """
    if reason not in REASONS:
        raise InvalidInput("reason_required")
    ticket = lines.find_number(session, office_id, normal_number(number), at=at)
    queue.cancel_ticket(session, ticket=ticket, actor=actor, at=at, reason=reason)
    return ticket


def change(session: Session, office: Office, row: AccessToken, *, name: str, value: str, at: datetime) -> None:
    """Set one switch of the machine: ``paper`` ok or out, ``printer`` on or off, ``closed`` yes or no.

    ``paper`` ok also says that a fresh roll is in. Raises InvalidInput ``unknown_setting``.
    """
    allowed = {"paper": PAPER, "printer": PRINTER, "closed": ("yes", "no")}
    if value not in allowed.get(name, ()):
        raise InvalidInput("unknown_setting")
    settings = _without(row.settings, name)
    if name == "closed":
        settings |= {"closed": True} if value == "yes" else {}
    else:
        settings |= {name: value}
    if (name, value) == ("paper", "ok"):
        settings["roll_at"] = at.isoformat()
    row.settings = settings
    action = f"kiosk_{name}"
    events.append(session, office, action=action, actor=actor_of(row), at=at, reason=value)


def reprint(session: Session, office: Office, row: AccessToken, number: str, *, at: datetime) -> Ticket:
    """Write down that a number is printed again; nothing else changes. Raises NotFound."""
    ticket = lines.find_number(session, office.id, normal_number(number), at=at)
    details = {"number": ticket.number}
    events.append(session, office, action="kiosk_reprint", actor=actor_of(row), at=at, details=details)
    return ticket


def status(session: Session, row: AccessToken, *, day_start: datetime) -> Status:
    """What the log says about the machine: what it gave today, and what is left of the roll."""
    given = (
        select(Event.at, Ticket.number)
        .join(Ticket, Ticket.id == Event.ticket_id)
        .where(Event.office_id == row.office_id, Event.actor == actor_of(row), Event.at >= day_start)
        .where(Event.action == "ready", Ticket.issued_at == Event.at)
    )
    count = session.scalar(select(func.count()).select_from(given.subquery())) or 0
    last = session.execute(given.order_by(Event.seq.desc()).limit(1)).one_or_none()
    return Status(
        issued_today=count, last_number=last.number if last else None, last_at=last.at if last else None,
        left=_left(session, row),
    )  # fmt: skip


def _left(session: Session, row: AccessToken) -> int | None:
    since = row.settings.get("roll_at")
    if since is None:
        return None
    printed = session.scalar(
        select(func.count()).where(
            Event.office_id == row.office_id, Event.actor == actor_of(row), Event.at >= datetime.fromisoformat(since),
            Event.action.in_(("ready", "kiosk_reprint")),
        )
    )  # fmt: skip
    return max(0, int(row.settings.get("roll", ROLL)) - (printed or 0))
