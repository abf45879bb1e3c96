"""Holding a slot: it is taken from everyone else at once, for a few minutes; and what happens when they are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.db import later
from app.db.base import UtcDateTime
from app.db.ready import Ready
from app.domain import booking as rules
from app.domain.booking import HOLD_LASTS, MOST_HOLDS, Action, State, no_show_at
from app.domain.calendar import business_date
from app.domain.errors import Conflict, TooMany
from app.domain.refs import token_hash
from app.models.booking import Booking, BookingEvent, BookingPlace
from app.services import availability, places
from app.services.availability import Fit, Visit
from config.failpoints import fail_at

# What was told for a booking is kept so long after it, unless the city says otherwise (booking_kept_days).
KEPT = timedelta(days=7)
_MOST_AT_ONCE = 500


class Asked(NamedTuple):
    """A hold as it is asked for. ``start`` with offset; ``staff``: also in places that only staff give.

    ``channel``: web, kiosk, staff, api or waiting_list. ``holder``: a hash of the browser or address whose live
    holds are counted, at most ``most_holds``; None where they are not (staff and devices).
    """

    office_id: str
    services: Sequence[str]
    start: datetime
    party: int = 1
    channel: str = "web"
    language: str = "ja"
    staff: bool = False
    holder: str | None = None
    lasts: timedelta = HOLD_LASTS
    most_holds: int = MOST_HOLDS


# What a booking has from its first moment on; the rest is empty.
_FIRST = (
    "municipality_id", "office_id", "state", "seed", "token_hash", "category_id", "services", "plan", "party",
    "business_date", "start_at", "end_at", "no_show_at", "language", "channel", "staff", "holder", "expires_at",
    "created_at", "changed_at", "moves",
)  # fmt: skip
_INSERT = Ready(
    insert(Booking)
    .values({name: bindparam(name, type_=Booking.__table__.c[name].type) for name in _FIRST})
    .returning(Booking.id)
)
_LIVE = select(func.count()).where(
    Booking.holder == bindparam("holder"), Booking.state == State.HELD,
    Booking.expires_at > bindparam("at", type_=UtcDateTime()),
)  # fmt: skip
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Held(NamedTuple):
    """A place taken: ``id`` is that of its row, with what whoever asked wants to know of it."""

    id: int
    start_at: datetime
    end_at: datetime
    expires_at: datetime
    token_hash: str
    plan: list[dict[str, str]]


def hold(session: Session, *, asked: Asked, seed: str, secret: bytes, actor: str, at: datetime) -> Held:
    """Take a slot from everyone else until ``asked.lasts`` have passed.

    ``seed`` is fresh chance, ``secret`` derives the link's token (``rules.token``). Raises NotFound, InvalidInput
    ("bad_services", "bad_party", "not_bookable", "slot_past", "slot_too_soon", "slot_too_far"),
    Conflict("slot_full"), TooMany("too_many_holds"); after a Conflict the transaction must end.
    """
    hashed = token_hash(rules.token(secret, "booking", seed))
    return _hold(session, asked=asked, seed=seed, hashed=hashed, actor=actor, at=at)


def try_hold(
    session: Session, *, asked: Asked, seed: str, hashed: str, actor: str, at: datetime
) -> Held | None:  # fmt: skip
    """``hold`` within a longer transaction: None when the slot is full, and nothing else is lost.

    ``hashed`` is stored as the hash of the link's token.
    """
    session.flush()
    later.write(session)
    point = session.begin_nested()
    try:
        held = _hold(session, asked=asked, seed=seed, hashed=hashed, actor=actor, at=at)
        later.write(session)
    except Conflict:
        point.rollback()
        session.info.pop("later", None)
        return None
    point.commit()
    return held


def _hold(session: Session, *, asked: Asked, seed: str, hashed: str, actor: str, at: datetime) -> Held:
    visit = availability.visit(session, office_id=asked.office_id, services=asked.services, staff=asked.staff)
    availability.refuse_out_of_reach(visit, asked.start, at=at, staff=asked.staff)
    if asked.holder is not None:
        _refuse_hoarding(session, asked.holder, asked.most_holds, at=at)
    overdue = lock_overdue(session, office_id=asked.office_id, at=at)
    back = places.strike(session, overdue) if overdue else {}
    fit = availability.fit(
        session, visit, asked.start, party=asked.party, at=at, staff=asked.staff,
        over={cell: given.places for cell, given in back.items()},
    )  # fmt: skip
    if overdue:
        _end(session, overdue, at=at)
    places.change(session, office_id=visit.office_id, take=fit.claims, give=back, staff=asked.staff)
    stages = stored(fit)
    values = _row(visit, fit, asked, stages=stages, seed=seed, hashed=hashed, at=at)
    booking_id = int(_INSERT.run(session.connection(), values)[0][0])
    fail_at("hold.before_commit")
    put_places(session, booking_id, fit)
    log(session, booking_id, Action.HOLD, before=None, after=State.HELD, actor=actor, at=at)
    return Held(id=booking_id, start_at=fit.plan.start, end_at=fit.plan.end, expires_at=at + asked.lasts,
                token_hash=hashed, plan=stages)  # fmt: skip


def _row(
    visit: Visit, fit: Fit, asked: Asked, *, stages: list[dict[str, str]], seed: str, hashed: str, at: datetime
) -> dict[str, object]:
    plan, first = fit.plan, visit.rules[fit.plan.stages[0].line]
    return {
        "municipality_id": visit.municipality_id, "office_id": asked.office_id, "state": str(State.HELD),
        "seed": seed, "token_hash": hashed,
        "category_id": plan.stages[0].line, "services": list(visit.services), "plan": stages,
        "party": asked.party, "business_date": business_date(plan.start), "start_at": plan.start, "end_at": plan.end,
        "no_show_at": no_show_at(plan.start, first), "language": asked.language, "channel": asked.channel,
        "staff": asked.staff, "holder": asked.holder, "expires_at": at + asked.lasts, "created_at": at,
        "changed_at": at, "moves": 0,
    }  # fmt: skip


def stored(fit: Fit) -> list[dict[str, str]]:
    """The stages of a plan as a booking keeps them."""
    return [
        {"service": stage.service, "line": stage.line, "start": stage.start.isoformat()} for stage in fit.plan.stages
    ]


def put_places(session: Session, booking_id: int, fit: Fit) -> None:
    """Write down what a booking takes, with the commit."""
    for cell, count in fit.plan.places.items():
        values = {"booking_id": booking_id, "pool": cell.pool, "start_at": cell.start, "places": count}
        later.insert_later(session, BookingPlace, values)


def log(
    session: Session, booking_id: int, action: Action, *, before: State | None, after: State, actor: str, at: datetime,
    reason: str | None = None, details: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """Write down what was done to a booking, with the commit."""
    values = {"booking_id": booking_id, "at": at, "action": str(action), "before": str(before) if before else None,
              "after": str(after), "actor": actor, "reason": reason, "details": details or {}}  # fmt: skip
    later.insert_later(session, BookingEvent, values)


def _refuse_hoarding(session: Session, holder: str, most: int, *, at: datetime) -> None:
    """Requests of one holder go one by one, so that none slips past the count."""
    queue_for(session, f"holder:{holder}")
    refuse_hoarding(session, holder, most, at=at)


def refuse_hoarding(session: Session, holder: str, most: int, *, at: datetime) -> None:
    """Raise TooMany("too_many_holds") as the count stands, from a read; ``hold`` counts again, one by one."""
    held = session.connection().scalar(_LIVE, {"holder": holder, "at": at}) or 0
    if held >= most:
        raise TooMany("too_many_holds", retry_after=60)


def queue_for(session: Session, name: str) -> None:
    """Wait until nobody else does something under this name; until the end of the transaction.

    On SQLite the writing transaction itself is the lock.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_TURN, {"name": name})


_DUE = Ready(
    select(Booking.id, Booking.staff)
    .where(
        Booking.office_id == bindparam("office"), Booking.state == State.HELD,
        Booking.expires_at <= bindparam("at", type_=UtcDateTime()),
    )
    .order_by(Booking.id)
    .limit(_MOST_AT_ONCE)
    .with_for_update(skip_locked=True)
)  # fmt: skip
_EXPIRE = (
    update(Booking)
    .where(Booking.id.in_(bindparam("ids", expanding=True)), Booking.state == State.HELD)
    .values(state=str(State.EXPIRED), changed_at=bindparam("now", type_=UtcDateTime()),
            ended_at=bindparam("now", type_=UtcDateTime()), expires_at=None)
    .execution_options(synchronize_session=False)
)  # fmt: skip


def lock_overdue(session: Session, *, office_id: str, at: datetime) -> list[tuple[int, bool]]:
    """Holds whose time is over, locked: ``(id, staff)``. Those another transaction is at are left to it."""
    return [(row[0], row[1]) for row in _DUE.rows(session.connection(), {"office": office_id, "at": at})]


def expire_due(session: Session, *, office_id: str, at: datetime) -> int:
    """End the holds whose time is over and give their places back, each once; returns how many."""
    overdue = lock_overdue(session, office_id=office_id, at=at)
    if not overdue:
        return 0
    _end(session, overdue, at=at)
    fail_at("expiry.before_give_back")
    places.give_back(session, office_id, overdue)
    fail_at("expiry.before_commit")
    return len(overdue)


def give_back(session: Session, booking: Booking) -> None:
    """Give back what a locked booking takes; its state has just been moved."""
    places.give_back(session, booking.office_id, [(booking.id, booking.staff)])


def _end(session: Session, overdue: Sequence[tuple[int, bool]], *, at: datetime) -> None:
    session.connection().execute(_EXPIRE, {"ids": [each[0] for each in overdue], "now": at})
    for booking_id, _ in overdue:
        log(session, booking_id, Action.EXPIRE, before=State.HELD, after=State.EXPIRED, actor="system", at=at)


__all__ = [
    "Asked", "Held", "expire_due", "give_back", "hold", "lock_overdue", "log", "put_places", "queue_for", "stored",
    "try_hold",
]  # fmt: skip
