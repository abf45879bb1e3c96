"""Counters open, pause and close; a counter that still holds a party does not close."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.ticket import AT_COUNTER
from app.models.people import StaffSession
from app.models.place import Category, Counter, WorkProfile
from app.models.ticket import Step
from app.services import events

_LONGEST_BREAK = timedelta(days=1)


def _lines(
    session: Session, counter: Counter, profile_id: str | None, categories: Sequence[str] | None
) -> list[dict[str, object]]:
    if categories is not None:
        known = set(session.scalars(select(Category.id).where(Category.office_id == counter.office_id)))
        if not categories or not set(categories) <= known:
            raise InvalidInput("bad_categories")
        return [{"category": category, "after_minutes": None} for category in dict.fromkeys(categories)]
    profile = session.get(WorkProfile, profile_id) if profile_id else None
    if profile is None or profile.office_id != counter.office_id:
        raise NotFound(what="profile")
    return list(profile.lines)


def open_counter(
    session: Session,
    *,
    counter_id: str,
    actor: str,
    at: datetime,
    profile_id: str | None = None,
    categories: Sequence[str] | None = None,
    staff_id: int | None = None,
    staff_name: str = "",
    request_key: str | None = None,
) -> Counter:
    """Open a counter with a work profile (its own by default) or an explicit list of categories.

    ``staff_id``: who sits down at it; without one (a program, a floor lead from afar) whoever sits there stays.
    Raises NotFound, InvalidInput, Conflict("counter_taken") while somebody else is signed in at it.
    """
    office, counter = events.lock_counter(session, counter_id)
    if staff_id is not None:
        _take_seat(session, counter, staff_id, at=at)
    chosen = profile_id or (None if categories is not None else counter.default_profile_id)
    counter.lines = list(_lines(session, counter, chosen, categories))
    counter.profile_id, counter.state, counter.since, counter.back_at = chosen, "open", at, None
    if staff_id is not None or counter.staff_id is None:
        counter.staff_id, counter.staff_name = staff_id, staff_name
    events.append(session, office, action="open", actor=actor, at=at, counter_id=counter.id, request_key=request_key)
    return counter


def _take_seat(session: Session, counter: Counter, staff_id: int, *, at: datetime) -> None:
    """Refuse a counter at which somebody else is signed in; a seat left behind by a closed browser gives way."""
    if counter.state != "closed" and counter.staff_id not in (None, staff_id):
        there = (StaffSession.counter_id == counter.id) | StaffSession.counter_id.is_(None)
        signed_in = session.scalar(
            select(StaffSession.token_hash)
            .where(StaffSession.account_id == counter.staff_id, StaffSession.expires_at > at, there)
            .limit(1)
        )
        if signed_in is not None:
            raise Conflict("counter_taken", name=counter.staff_name)
    session.execute(
        update(StaffSession)
        .where(StaffSession.counter_id == counter.id, StaffSession.account_id != staff_id)
        .values(counter_id=None)
    )


def _leave(session: Session, counter_id: str, state: str, *, actor: str, at: datetime, back_at: datetime | None,
           request_key: str | None) -> Counter:  # fmt: skip
    office, counter = events.lock_counter(session, counter_id)
    held = session.scalar(select(Step.id).where(Step.counter_id == counter.id, Step.state.in_(AT_COUNTER)).limit(1))
    if held is not None:
        raise Conflict("counter_busy")
    if counter.state == state and counter.back_at == back_at:
        return counter
    if counter.state != state:
        counter.since = at
    counter.state, counter.back_at = state, back_at
    if state == "closed":
        counter.staff_id, counter.staff_name, counter.help_since = None, "", None
    events.append(session, office, action="pause" if state == "paused" else "close", actor=actor, at=at,
                  counter_id=counter.id, request_key=request_key)  # fmt: skip
    return counter


def close_counter(
    session: Session, *, counter_id: str, actor: str, at: datetime, request_key: str | None = None
) -> Counter:
    """Close; raises Conflict("counter_busy") while a party is at it."""
    return _leave(session, counter_id, "closed", actor=actor, at=at, back_at=None, request_key=request_key)


def pause_counter(
    session: Session,
    *,
    counter_id: str,
    actor: str,
    at: datetime,
    back_at: datetime | None = None,
    request_key: str | None = None,
) -> Counter:
    """A break; the counter display says when it is back. On a break already: only ``back_at`` moves.

    Raises InvalidInput for a return that is over or more than a day away.
    """
    if back_at is not None and not at < back_at <= at + _LONGEST_BREAK:
        raise InvalidInput(fields=["back_at"])
    return _leave(session, counter_id, "paused", actor=actor, at=at, back_at=back_at, request_key=request_key)


def ask_help(
    session: Session, *, counter_id: str, wanted: bool, actor: str, at: datetime, request_key: str | None = None
) -> Counter:
    """Ask the floor lead for help, or say it is no longer needed; shown to staff, never on a board."""
    office, counter = events.lock_counter(session, counter_id)
    if (counter.help_since is not None) == wanted:
        return counter
    counter.help_since = at if wanted else None
    events.append(session, office, action="help" if wanted else "help_over", actor=actor, at=at,
                  counter_id=counter.id, request_key=request_key)  # fmt: skip
    return counter
