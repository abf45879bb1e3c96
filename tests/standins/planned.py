"""The ward office with a forecast for the coming days, for tests and looks at the planning screens; nobody is real."""

import math
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, instant
from app.models.arrivals import ForecastInterval, ForecastSeries, ServiceRate
from app.models.people import Account
from app.models.place import Offering
from app.services import hours
from app.services.access import hash_password

PASSWORD = "a password of the sample"
# People a day and minutes for each, by line.
DAY = {
    "certificates": (120, 6.0), "moving": (86, 13.5), "register": (16, 20.0), "my_number": (40, 14.0),
    "insurance": (44, 15.0), "tax": (24, 11.0), "children": (22, 14.0), "care": (11, 22.0), "bereavement": (2, 30.0),
    "cashier": (60, 3.0),
}  # fmt: skip
SHAPE = (0.7, 1.0, 1.1, 1.15, 1.2, 1.2, 1.1, 1.05, 1.0, 1.0, 1.05, 1.05, 1.0, 0.9, 0.8, 0.7, 0.5)


def forecasts(session: Session, since: date, days: int = 10, *, volume: float = 1.0) -> None:
    """A forecast of every line for each open day from ``since`` on, and the minutes learned."""
    now = datetime.now(UTC)
    for name, (people, minutes) in DAY.items():
        line = f"ward-{name}"
        session.add(
            ForecastSeries(
                category_id=line, office_id="ward", attempted_at=now, error="", made_at=now, model="hybrid",
                scores={"hybrid": 0.56, "sn4": 0.6}, history_days=420, day_wape=0.09, cover=0.81,
                low_z=-1.3, high_z=1.3, cpu_seconds=0.4, peak_mb=200, reforecast_at=None, held_share=None,
            )
        )  # fmt: skip
        service = session.scalars(select(Offering.service_id).where(Offering.category_id == line)).first()
        if service is not None:
            session.add(ServiceRate(office_id="ward", category_id=line, service_id=service, hour=-1, share=1.0,
                                    minutes=minutes, spread=0.5, no_show=0.02, samples=400))  # fmt: skip
        for day in (since + timedelta(days=number) for number in range(days)):
            if hours.opening(session, "ward", day):
                _day(session, line, day, people * volume)


def _day(session: Session, line: str, day: date, people: float) -> None:
    for slot, share in enumerate(SHAPE):
        expected = people * share / sum(SHAPE)
        wide = 1.28 * 1.6 * math.sqrt(expected)
        session.add(
            ForecastInterval(
                category_id=line, office_id="ward", business_date=day, expected=expected,
                low=max(expected - wide, 0), high=expected + wide, bookings=round(expected / 5),
                start_at=instant(day, time(8, 30)) + timedelta(minutes=30 * slot),
            )
        )  # fmt: skip


def manager(session: Session, login: str = "manager", role: str = "department-admin") -> None:
    """Somebody who plans."""
    session.add(Account(municipality_id="aonami", office_id="ward", login=login, name="山口 恵子", section="市民課",
                        role=role, password_hash=hash_password(PASSWORD), created_at=datetime.now(UTC)))  # fmt: skip


def open_day(session: Session, at: datetime) -> date:
    """The next day on which the ward office opens."""
    opens = hours.next_opening(session, "ward", at)
    assert opens is not None
    return business_date(opens)
