"""What stands above each counter of an office or hall: one snapshot for all of them, numbers only, never a name.

Read from the same version of the office as the board, so that a call reaches both with the same ``seq``; kept
apart from it because a lobby needs none of this and its message is small on purpose.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import later
from app.db.ready import Ready
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.ticket import AT_COUNTER
from app.models.place import Counter, Hall, Office, WorkProfile
from app.models.ticket import Step, Ticket

# Built once, its states in its text: a plan kept for whatever values come has the index of those at a counter.
_PARTIES = Ready(
    select(Step.counter_id, Ticket.number, Step.state, Step.phase, Step.category_id, Step.recalls)
    .join(Ticket, Ticket.id == Step.ticket_id)
    .where(Step.office_id == bindparam("office"), Step.business_date == bindparam("day"))
    .where(Step.state.in_(sorted(AT_COUNTER)))
    .order_by(Step.called_at, Step.id)
)


def read(session: Session, *, office_id: str, hall_id: str | None = None, at: datetime) -> dict[str, Any]:
    """``{office, hall, epoch, seq, at, business_date, counters}`` of today; JSON values only. Raises NotFound.

    * ``counters``: ``{id, number, state, back_at, line, instead, now}`` in their order. ``line``: the category
      served first there, also while it is closed; ``instead``: the number of an open counter that serves it
      while this one does not, or null.
    * ``now``: the party called or served there, the newest where a counter holds several:
      ``{number, state, phase, category, recalls}``, or null.
    """
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    if hall_id is not None:
        hall = session.get(Hall, hall_id)
        if hall is None or hall.office_id != office_id:
            raise NotFound(what="hall")
    day = business_date(at)
    places = list(session.scalars(select(Counter).where(Counter.office_id == office_id).order_by(Counter.position)))
    lines = _lines(session, office_id, places)
    parties = _parties(session, office_id, day)
    return {
        "office": office_id, "hall": hall_id, "epoch": office.epoch, "seq": office.seq,
        "at": (office.changed_at or at).isoformat(timespec="seconds"), "business_date": day.isoformat(),
        "counters": [
            _shown(place, lines, parties, _instead(place, places, lines))
            for place in places if hall_id in (None, place.hall_id)
        ],
    }  # fmt: skip


def _lines(session: Session, office_id: str, places: Sequence[Counter]) -> dict[str, list[str]]:
    """The categories each counter serves at once, first ones first; of a closed one what it serves as a rule."""
    usual = {
        row.id: row.lines for row in session.scalars(select(WorkProfile).where(WorkProfile.office_id == office_id))
    }
    return {
        place.id: [
            line["category"]
            for line in place.lines or usual.get(place.default_profile_id or "", [])
            if line.get("after_minutes") is None
        ]
        for place in places
    }


def _instead(place: Counter, places: Sequence[Counter], lines: Mapping[str, Sequence[str]]) -> str | None:
    if place.state == "open" or not lines[place.id]:
        return None
    wanted = lines[place.id][0]
    return next((each.number for each in places if each.state == "open" and wanted in lines[each.id]), None)


def _parties(session: Session, office_id: str, day: date) -> dict[str, dict[str, Any]]:
    rows = _PARTIES.rows(later.all_seen(session), {"office": office_id, "day": day})
    names = ("number", "state", "phase", "category", "recalls")
    return {counter: dict(zip(names, values, strict=True)) for counter, *values in rows}


def _shown(
    place: Counter, lines: Mapping[str, Sequence[str]], parties: Mapping[str, dict[str, Any]], instead: str | None
) -> dict[str, Any]:
    served = lines[place.id]
    return {
        "id": place.id, "number": place.number, "state": place.state,
        "back_at": place.back_at.isoformat(timespec="minutes") if place.back_at else None,
        "line": served[0] if served else None, "instead": instead, "now": parties.get(place.id),
    }  # fmt: skip
