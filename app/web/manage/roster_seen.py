"""What the pages of a roster look at: a day of an office with its plans, its table and the search for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.place import Category, Office
from app.models.staffing import RosterSearch
from app.services import roster_searches, rosters
from app.services.rosters import Sheet
from app.web import day_plan
from app.web.day_plan import LinePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a request looks at."""

    office: Office
    day: date
    at: datetime
    plans: list[LinePlan]
    lines: Mapping[str, Category]
    sheet: Sheet
    search: RosterSearch | None

    @property
    def going(self) -> bool:
        return roster_searches.going(self.search, self.at)


def seen(session: Session, office: Office, day: date, at: datetime) -> Seen:
    """The roster of an office's day with what the counters need."""
    plans = day_plan.of_day(session, office_id=office.id, day=day, at=at)
    return Seen(
        office=office, day=day, at=at, plans=plans,
        lines={line.id: line for line in session.scalars(
            select(Category).where(Category.office_id == office.id).order_by(Category.position)
        )},
        sheet=rosters.read(session, office.id, day, needs=day_plan.needs(plans)),
        search=roster_searches.find(session, office.id, day),
    )  # fmt: skip
