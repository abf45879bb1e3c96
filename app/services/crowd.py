"""What past weeks and the forecast say about the days to come, of the lines somebody will stand in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.calendar import business_date, instant
from app.domain.crowd import Seen
from app.domain.outlook import Outlook
from app.domain.ticket import Phase
from app.models.arrivals import ForecastInterval, ForecastSeries
from app.models.ticket import Step
from app.models.visits import PastVisit
from app.services.forecast_inputs import HORIZON_DAYS
from app.services.forecasts import STALE_AFTER

WEEKS = 8
# Of the people who came, the share whose lines must be forecast: a line of three a month is no reason to tell nothing.
NEARLY_ALL = 0.95
_HOUR, _JAPAN = 3600, 9


def outlook(session: Session, *, categories: Sequence[str], at: datetime, since: date | None = None) -> Outlook:
    """What is to be expected of these lines together from ``since`` (today without it) on.

    The forecast tells only where the lines with a fresh one are those that nearly everybody comes to. Past days are as
    told the night before.
    """
    came = _came(session, categories, at)
    fresh = _fresh(session, sorted(came), at)
    if sum(sum(came[line].values()) for line in fresh) < NEARLY_ALL * sum(sum(days.values()) for days in came.values()):
        fresh = {}
    people: dict[date, int] = defaultdict(int)
    for line in fresh:
        for day, number in came[line].items():
            people[day] += number
    expected = _expected(session, fresh, since=since or business_date(at), today=business_date(at))
    return Outlook(seen(session, categories=categories, at=at), came=people, expected=expected)


def _came(session: Session, categories: Sequence[str], at: datetime) -> dict[str, dict[date, int]]:
    """Parties by line and day as forecasts count them: those who left before they were called too."""
    today = business_date(at)
    rows = session.execute(
        select(PastVisit.category_id, PastVisit.business_date, func.count())
        .where(PastVisit.category_id.in_(categories), PastVisit.issued_at >= at - timedelta(weeks=WEEKS, days=2))
        .where(PastVisit.business_date >= today - timedelta(weeks=WEEKS), PastVisit.business_date < today)
        .group_by(PastVisit.category_id, PastVisit.business_date)
    )
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for line, day, people in rows:
        found[line][day] = people
    return found


def _fresh(session: Session, lines: Sequence[str], at: datetime) -> dict[str, datetime]:
    """Those of the lines whose forecast is not stale, and when it was made."""
    made = select(ForecastSeries.category_id, ForecastSeries.made_at).where(
        ForecastSeries.category_id.in_(lines), ForecastSeries.made_at >= at - STALE_AFTER
    )
    return {line: made_at for line, made_at in session.execute(made) if made_at is not None} if lines else {}


def _expected(
    session: Session, made: Mapping[str, datetime], *, since: date, today: date
) -> Mapping[date, float]:  # fmt: skip
    """Parties forecast by day for these lines together, as far as the forecasts of all of them reach."""
    if not made:
        return {}
    until = min(business_date(each) for each in made.values()) + timedelta(days=HORIZON_DAYS)
    rows = session.execute(
        select(ForecastInterval.category_id, ForecastInterval.business_date, func.sum(ForecastInterval.expected))
        .where(ForecastInterval.category_id.in_(list(made)), ForecastInterval.business_date < until)
        .where(ForecastInterval.start_at >= instant(since, time()))  # the key goes by time
        .group_by(ForecastInterval.category_id, ForecastInterval.business_date)
    ).all()
    first: dict[str, date] = {}
    for line, day, _ in rows:
        first[line] = min(first.get(line, day), day)
    # Before the last of the lines had a forecast, the others' are not all.
    begin = min(max(first.values(), default=since), today)
    found: dict[date, float] = defaultdict(float)
    for _, day, people in rows:
        if day >= begin:
            found[day] += people
    return found


def seen(session: Session, *, categories: Sequence[str], at: datetime) -> list[Seen]:
    """People and waits of these lines by day and hour, over the weeks before today; one row an hour.

    Weeks that were imported count as our own do, so that an office has its calendar on the first day.
    """
    today = business_date(at)
    ours = _by_hour(
        session, Step.business_date, Step.waiting_since, Step.called_at, today,
        [Step.category_id.in_(categories), Step.phase == Phase.ACCEPT],
    )  # fmt: skip
    days = {each.day for each in ours}
    before = _by_hour(
        session, PastVisit.business_date, PastVisit.issued_at, PastVisit.called_at, today,
        [PastVisit.category_id.in_(categories), PastVisit.fingerprint.is_not(None),
         PastVisit.issued_at >= at - timedelta(weeks=WEEKS, days=2)],  # the index goes by time
    )  # fmt: skip
    return ours + [each for each in before if each.day not in days]


def _by_hour(
    session: Session, day: InstrumentedAttribute[date], began: InstrumentedAttribute[Any],
    called: InstrumentedAttribute[Any], today: date, where: Sequence[ColumnElement[bool]],
) -> list[Seen]:  # fmt: skip
    since, until = (cast(extract("epoch", column), Integer) for column in (began, called))
    hour = (since // _HOUR + _JAPAN) % 24
    rows = session.execute(
        select(day, hour, func.count(), func.sum(until - since))
        .where(*where, called >= began, day >= today - timedelta(weeks=WEEKS), day < today)
        .group_by(day, hour)
    )
    return [Seen(day=_day(found), hour=int(at_), people=n, minutes=float(s) / 60) for found, at_, n, s in rows]


def _day(found: date | str) -> date:
    return found if isinstance(found, date) else date.fromisoformat(found)
