"""Days and times as the calendar shows them: free, few, full or not to be booked, and how full the hall will be."""

import calendar as months
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import url_for
from sqlalchemy.orm import Session

from app.domain import crowd as rules
from app.domain.booking import Half
from app.domain.calendar import business_date, clock
from app.domain.crowd import Level
from app.domain.slots import Look, plan
from app.services import availability, congestion, crowd, hours
from app.services.availability import Slot
from app.web.booking.frame import Wanted

# Up to so many places "few are left", said with their number.
FEW = 2
SUNDAY_FIRST = months.Calendar(firstweekday=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One day. ``state``: free, few, full, or off (``shut``: the office is closed)."""

    day: date
    state: str
    free: int
    crowd: Level | None
    today: bool
    past: bool
    shut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Soonest:
    """The earliest free time."""

    day: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """One start of a day."""

    start: datetime
    state: str
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The starts of one hour."""

    hour: int
    slots: Sequence[Time]
    crowd: Level | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A day at a glance. ``free``: starts with room, counted up to one more than "few"; ``first`` of them."""

    any: bool
    free: int
    first: datetime | None


class Days:
    """The bookable days of a wish, from today to the end of its window.

    What is taken is read at once; each day is laid out only as far as its cell in the calendar needs it, because a
    visit to four counters has many orders and a month has many starts.
    """

    def __init__(self, session: Session, wanted: Wanted, *, at: datetime) -> None:
        self._session, self._wanted, self._at = session, wanted, at
        asked = wanted.visit
        self._reach = asked.limits.reach(at=at)
        self.today = business_date(at)
        self.last = min(business_date(self._reach.latest), self.today + timedelta(days=availability.MOST_DAYS - 1))
        self._rooms = availability.rooms(session, asked, availability.days(self.today, self.last), at=at)
        self._empty = self._rooms.emptied(staff=False)
        self._known: dict[date, Summary] = {}
        self._slots: dict[date, list[Slot]] = {}
        self._outlook = crowd.outlook(session, categories=wanted.lines, at=at)
        self._calendar = hours.calendar_of(session, wanted.office.id)

    def summary(self, day: date) -> Summary:
        """Whether a day can be booked at all, and how much of it is free."""
        if day not in self._known:
            self._known[day] = self._summed(day)
        return self._known[day]

    def _summed(self, day: date) -> Summary:
        starts = [each for each in self._rooms.starts(day) if self._reach.earliest <= each <= self._reach.latest]
        free: list[datetime] = []
        for start in starts:
            if self._fits(start, self._rooms.look):
                free.append(start)
            if len(free) > FEW:
                break
        exists = bool(free) or any(self._fits(start, self._empty) for start in starts)
        return Summary(any=exists, free=len(free), first=free[0] if free else None)

    def _fits(self, start: datetime, look: Look) -> bool:
        return plan(self._wanted.visit.blocks, start=start, party=self._wanted.party, look=look) is not None

    @property
    def _days(self) -> list[date]:
        return availability.days(self.today, self.last)

    @property
    def soonest(self) -> Soonest | None:
        """The earliest free time."""
        firsts = (self.summary(day).first for day in self._days)
        first = next((each for each in firsts if each is not None), None)
        return Soonest(day=business_date(first), at=first) if first else None

    def slots(self, day: date) -> list[Slot]:
        """All the times of one day, full ones too."""
        if day not in self._slots:
            self._slots[day] = availability.of_days(
                self._session, self._wanted.visit, [day], party=self._wanted.party, at=self._at
            )
        return self._slots[day]

    def full_halves(self, day: date) -> list[Half]:
        """What can be waited for: the halves of a day that have times, and no free one; first the whole day.

        Of a full day with times in one half only, that half is the whole day.
        """
        times = {half: [slot.free for slot in self.slots(day) if half.suits(slot.start)] for half in Half}
        full = [half for half, free in times.items() if free and not any(free)]
        return full[:1] if len(full) == 2 else full

    def forecast(self, day: date) -> str:
        """The address of the congestion calendar of the first line people walk into; of the day where it is told."""
        walked = {line.id for line in congestion.lines(self._session, self._wanted.office.id)}
        told = self.crowd(day) is not None
        return url_for(
            "congestion.show", office=self._wanted.office.id, day=day.isoformat() if told else None,
            category=next((line for line in self._wanted.lines if line in walked), None),
            _anchor="day" if told else None,
        )  # fmt: skip

    def quietest(self) -> list[date]:
        """The emptiest of the days with free places."""
        levels = {day: self.crowd(day) for day in self._days}
        known = {day: level for day, level in levels.items() if level is not None and self.summary(day).free}
        return rules.quietest(known)

    def crowd(self, day: date) -> Level | None:
        """How full the hall will be; None where too little is known, and for a day it is closed."""
        return self._outlook.of_day(day) if self._calendar.intervals(day) else None

    def neighbour(self, day: date, step: int) -> date | None:
        """The next day with free places in a direction."""
        other = day + timedelta(days=step)
        while self.today <= other <= self.last:
            if self.summary(other).free:
                return other
            other += timedelta(days=step)
        return None

    def weeks(self, month: date) -> list[list[Cell | None]]:
        """The weeks of a month, Sunday first; None outside of it."""
        return [
            [self._cell(day) if day.month == month.month else None for day in week]
            for week in SUNDAY_FIRST.monthdatescalendar(month.year, month.month)
        ]

    def _cell(self, day: date) -> Cell:
        known = self.summary(day)
        return Cell(
            day=day, state=state_of(known.free) if known.any else "off", free=known.free, crowd=self.crowd(day),
            today=day == self.today, past=day < self.today, shut=not self._calendar.intervals(day),
        )  # fmt: skip

    def rows(self, day: date) -> list[Row]:
        """The times of a day by hour; each row has as many places for marks as the fullest hour has starts."""
        crowds: Mapping[int, Level] = self._outlook.of_hours(day)
        by_hour: dict[int, list[Time]] = {}
        for slot in self.slots(day):
            time = Time(start=slot.start, state=state_of(slot.free, slot.capacity), free=slot.free)
            by_hour.setdefault(clock(slot.start).hour, []).append(time)
        return [Row(hour=hour, slots=times, crowd=crowds.get(hour)) for hour, times in sorted(by_hour.items())]


def state_of(free: int, capacity: int | None = None) -> str:
    """free, few or full by the number of places; a small one that nobody has touched is not "few left"."""
    if free <= 0:
        return "full"
    return "few" if free <= FEW and (capacity is None or free < capacity) else "free"


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
