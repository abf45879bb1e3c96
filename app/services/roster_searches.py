"""Searches for a better roster: asked for on the screen, claimed by one process, heard while they run, stopped.

The row is all that the screen and the process know of each other, so either may end without the other waiting.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput
from app.models.staffing import RosterSearch

MOST_SECONDS = 600
# A process that has not been heard for so long was killed.
SILENT = timedelta(seconds=45)
# A search that no scheduler took up.
NOT_TAKEN = timedelta(minutes=2)
_GOING = frozenset({"asked", "running", "stopping"})


def find(session: Session, office_id: str, day: date) -> RosterSearch | None:
    """The last search of a day."""
    return session.get(RosterSearch, (office_id, day))


def going(search: RosterSearch | None, at: datetime) -> bool:
    """Whether a search is still to be waited for."""
    if search is None or search.state not in _GOING:
        return False
    if search.state == "asked":
        return at - search.asked_at < NOT_TAKEN
    return at - (search.heard_at or search.asked_at) < SILENT


def ask(
    session: Session, *, office_id: str, day: date, seconds: int, token: str, actor: str, at: datetime
) -> RosterSearch:
    """Ask for a search. Raises Conflict ``roster_search_runs``, InvalidInput ``bad_roster_change`` for the seconds."""
    if not 1 <= seconds <= MOST_SECONDS:
        raise InvalidInput("bad_roster_change")
    found = session.get(RosterSearch, (office_id, day), with_for_update=True, populate_existing=True)
    if going(found, at):
        raise Conflict("roster_search_runs")
    if found is None:
        found = RosterSearch(office_id=office_id, day=day)
        session.add(found)
    found.state, found.token, found.seconds, found.asked_at, found.asked_by = "asked", token, seconds, at, actor
    found.started_at = found.heard_at = found.ended_at = None
    found.found, found.shortfall, found.plans, found.error = {}, None, 0, ""
    session.flush()
    return found


def stop(session: Session, *, office_id: str, day: date, at: datetime) -> None:
    """End a search with the best it has; nothing when there is none."""
    found = session.get(RosterSearch, (office_id, day), with_for_update=True, populate_existing=True)
    if found is None or found.state not in _GOING:
        return
    if found.state == "asked":
        found.state, found.ended_at = "done", at
    else:
        found.state = "stopping"
    session.flush()


def waiting(session: Session, *, at: datetime) -> bool:
    """Whether anybody waits for a search to begin."""
    query = select(RosterSearch.day).where(RosterSearch.state == "asked", RosterSearch.asked_at > at - NOT_TAKEN)
    return session.scalars(query.limit(1)).first() is not None


def claim(session: Session, *, at: datetime) -> RosterSearch | None:
    """The search that has been asked for longest, now running; None when there is none. One caller gets it."""
    found = session.scalars(
        select(RosterSearch)
        .where(RosterSearch.state == "asked", RosterSearch.asked_at > at - NOT_TAKEN)
        .order_by(RosterSearch.asked_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if found is not None:
        found.state, found.started_at, found.heard_at = "running", at, at
        session.flush()
    return found


def hear(
    session: Session, *, office_id: str, day: date, token: str, at: datetime,
    better: tuple[Mapping[str, Mapping[str, str]], float] | None = None, plans: int = 0,
) -> bool:  # fmt: skip
    """Keep that the process lives, and its best plan with its shortfall; False when it shall end."""
    found = session.get(RosterSearch, (office_id, day), with_for_update=True, populate_existing=True)
    if found is None or found.token != token or found.state not in _GOING:
        return False
    found.heard_at = at
    if better is not None:
        found.found, found.shortfall, found.plans = dict(better[0]), better[1], plans
    session.flush()
    return found.state != "stopping"


def end(session: Session, *, office_id: str, day: date, token: str, error: str, at: datetime) -> None:
    """The process has ended; ``error`` is empty, or says why there is no plan."""
    found = session.get(RosterSearch, (office_id, day), with_for_update=True, populate_existing=True)
    if found is not None and found.token == token and found.state in _GOING:
        found.state, found.error, found.ended_at = ("failed" if error else "done"), error, at
        session.flush()
