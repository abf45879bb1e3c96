"""Imported years put among past visits: each row once, however often and in whatever pieces the file comes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.past_visits import Bad, Row
from app.models.place import Offering, Office, Service
from app.models.visits import PastVisit
from app.services import practice, visit_history

OWN_DAY = "that day is in our own log"


@dataclass(slots=True)
class Import:
    """The import of one file: what it did so far, and how many rows of each kind it has met.

    ``practice``: made-up visits that made room.
    """

    new: int = 0
    known: int = 0
    changed: int = 0
    practice: int = 0
    bad: list[Bad] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)


def names(session: Session, office_id: str) -> dict[str, str]:
    """Every name that a service of the office goes by (its id, its names in every language) → its id.

    Names that mean two services are left out. Raises NotFound for an unknown office.
    """
    if session.get(Office, office_id) is None:
        raise NotFound(what="office")
    rows = session.execute(
        select(Service.id, Service.name, Service.public_name)
        .join(Offering, Offering.service_id == Service.id)
        .where(Offering.office_id == office_id)
    )
    meant: dict[str, set[str]] = {}
    for service, *words in rows:
        for name in {service, *(str(text) for by_language in words for text in by_language.values())}:
            meant.setdefault(name, set()).add(service)
    sure = {name: name if name in found else min(found) for name, found in meant.items()}
    return {name: service for name, service in sure.items() if len(meant[name]) == 1 or name == service}


def store(session: Session, office_id: str, rows: Sequence[Row], done: Import) -> None:
    """Add a batch of rows, in the order of the file.

    The n-th row of a service and an instant is one visit: a later file that says more of it (a call, an end) changes
    it, and one that says the same leaves it. Rows of days in our own log are bad: their people would count twice.
    A real past takes the place of practice data.
    """
    if rows:
        done.practice += practice.drop(session, office_id)
    own = visit_history.own_days(session, office_id, [business_date(row.issued_at) for row in rows])
    done.bad += [Bad(line=row.line, reason=OWN_DAY) for row in rows if business_date(row.issued_at) in own]
    marked = {_mark(row, done.met): row for row in rows if business_date(row.issued_at) not in own}
    known = {
        visit.fingerprint: visit
        for visit in session.scalars(
            select(PastVisit).where(PastVisit.office_id == office_id, PastVisit.fingerprint.in_(marked))
        )
    }
    lines = dict(
        session.execute(
            select(Offering.service_id, Offering.category_id).where(Offering.office_id == office_id)
        ).all()
    )  # fmt: skip
    fresh = [
        {"office_id": office_id, "category_id": lines[row.service], "service_id": row.service, "step_id": None,
         "fingerprint": mark, "started_at": None, "business_date": business_date(row.issued_at),
         "issued_at": row.issued_at, **_facts(row)}
        for mark, row in marked.items() if mark not in known
    ]  # fmt: skip
    if fresh:
        session.execute(insert(PastVisit), fresh)
    changed = sum(_change(session, visit, marked[mark]) for mark, visit in known.items() if mark is not None)
    done.new, done.changed, done.known = (
        done.new + len(fresh),
        done.changed + changed,
        done.known + len(known) - changed,
    )


def _mark(row: Row, met: Counter[str]) -> str:
    kind = f"{row.service} {row.issued_at.astimezone(UTC).isoformat()}"
    met[kind] += 1
    return f"{kind} {met[kind]}"


def _facts(row: Row) -> dict[str, object]:
    return {
        "called_at": row.called_at, "finished_at": row.finished_at, "counter": row.counter, "booked": row.booked,
        "no_show": row.no_show,
    }  # fmt: skip


def _change(session: Session, visit: PastVisit, row: Row) -> bool:
    facts = _facts(row)
    if all(getattr(visit, name) == value for name, value in facts.items()):
        return False
    session.execute(update(PastVisit).where(PastVisit.id == visit.id).values(**facts))
    return True
