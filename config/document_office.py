"""One office: halls, categories with their policy, counters, work profiles, hours, kiosk, notices."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.document_booking import LineBooking
from config.document_services import Season
from config.document_words import Clock, Id, MonthDay, Part, StaffWords, Weekday, Words, without_ruby

KIOSK_TITLE_LIMIT = 10
KIOSK_LINE_LIMIT = 16

Dial = Annotated[float, Field(ge=0, le=240)]
Prefix = Annotated[str, Field(pattern=r"^[A-Z]$")]
Shape = Literal[
    "disc", "square", "hexagon", "diamond", "pentagon", "octagon", "shield", "trapezoid", "capsule", "house"
]


# Each has at least 4.5 : 1 against white; a name, because pages carry no style of their own.
Hue = Literal["teal", "purple", "magenta", "brown", "green", "slate", "rust", "olive", "charcoal", "ink"]


class PolicyDials(Part):
    """Minutes; the same names and defaults as ``app.domain.calling.Policy``."""

    allowance: Dial = 30
    late_penalty: Dial = 10
    late_grace: Dial = 5
    priority: Dial = 15
    rejoin: Dial = 10
    deliver: Dial = 5
    early_window: Dial = 5


class Hall(Part):
    """``languages``: what the voice and the rotating second line speak, in order. ``voice``: T12."""

    id: Id
    name: Words
    floor: Words
    voice: Literal["voice", "chime", "silent"] = "voice"
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("ja", "en")


class Category(Part):
    """A line of people. ``neutral`` is shown instead of the name of a sensitive service."""

    id: Id
    prefix: Prefix
    shape: Shape
    hue: Hue
    name: Words
    short: Words
    neutral: Words | None = None
    section: StaffWords
    hall: Id
    services: Annotated[tuple[Id, ...], Field(min_length=1)]
    target_minutes: Annotated[int, Field(ge=1, le=240)]
    policy: PolicyDials = PolicyDials()
    booking: LineBooking | None = None
    walk_in: bool = True
    web_ticket: bool = True
    digits: Annotated[int, Field(ge=2, le=4)] = 3


class Counter(Part):
    """``no`` is what is painted above it. ``profile``: what is served here as a rule (none: information)."""

    no: Annotated[int, Field(ge=1, le=999)]
    hall: Id
    name: Words
    profile: Id | None = None
    section: StaffWords


class ProfileLine(Part):
    """``after``: a secondary category, called only when its head has waited longer (minutes)."""

    category: Id
    after: Annotated[float, Field(gt=0, le=240)] | None = None


class WorkProfile(Part):
    id: Id
    name: StaffWords
    lines: Annotated[tuple[ProfileLine, ...], Field(min_length=1)]


class Interval(Part):
    """``reception_close``: numbers are given until then; people with a number are served until ``close``."""

    open: Clock
    close: Clock
    reception_close: Clock | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Interval":
        last = self.reception_close or self.close
        if not self.open < last <= self.close:
            raise ValueError("hours must run open < reception_close <= close")
        return self


class HoursRule(Interval):
    """Opening that repeats. ``nth``: only the 2nd, 4th … such weekday of a month. ``season``: only then.

    ``categories`` empty: all of them.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    nth: tuple[Annotated[int, Field(ge=1, le=5)], ...] = ()
    season: Season | None = None
    categories: tuple[Id, ...] = ()
    note: Words | None = None


class Closure(Part):
    """Days of every year on which the office is closed, both included."""

    from_: MonthDay = Field(alias="from")
    to: MonthDay
    name: Words


class SpecialDay(Part):
    """One date that differs: opened at other hours, or closed. It wins over every rule and holiday."""

    date: date
    closed: bool = False
    intervals: tuple[Interval, ...] = ()
    categories: tuple[Id, ...] = ()
    note: Words

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "SpecialDay":
        if self.closed == bool(self.intervals):
            raise ValueError("a special day is closed or has intervals, not both and not neither")
        return self


class Hours(Part):
    rules: Annotated[tuple[HoursRule, ...], Field(min_length=1)]
    closed_on_holidays: bool = True
    closures: tuple[Closure, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()


class Purpose(Part):
    """A button of the kiosk. ``services``: what it may mean, the usual one first. ``until``: T4, per day."""

    id: Id
    category: Id
    title: Words
    line: Words | None = None
    services: Annotated[tuple[Id, ...], Field(min_length=1)]
    opens: Clock | None = None
    closes: Clock | None = None
    hidden: bool = False
    booked_only: bool = False

    @model_validator(mode="after")
    def _fits_the_button(self) -> "Purpose":
        if len(without_ruby(self.title["ja"])) > KIOSK_TITLE_LIMIT:
            raise ValueError(f"title: at most {KIOSK_TITLE_LIMIT} characters fit the button")
        if self.line and len(without_ruby(self.line["ja"])) > KIOSK_LINE_LIMIT:
            raise ValueError(f"line: at most {KIOSK_LINE_LIMIT} characters fit below it")
        if self.opens and self.closes and self.opens >= self.closes:
            raise ValueError("closes must be after opens")
        return self


class Notice(Part):
    """A sentence on boards and public pages. ``news`` rotates on boards; ``warning`` replaces it everywhere.

    Without ``hall``: in all of them.
    """

    id: Id
    level: Literal["news", "info", "warning"]
    text: Words
    hall: Id | None = None


class Office(Part):
    """One building. ``open_kiosk``: the kiosk's page serves a machine that nobody has paired, too.

    ``cashiers``: counters that take money, the one residents are sent to first; none: every counter does.
    ``late_payment``: money that comes for what was cancelled goes back by itself, or two persons are asked.
    """

    id: Id
    name: Words
    short: Words
    address: Words
    phone: Annotated[str, Field(pattern=r"^[0-9-]{10,14}$")]
    skip_numbers: tuple[Annotated[int, Field(ge=1, le=999)], ...] = ()
    web_ticket_confirm: bool = False
    open_kiosk: bool = False
    cashiers: tuple[Annotated[int, Field(ge=1, le=999)], ...] = ()
    late_payment: Literal["refund", "ask"] = "refund"
    halls: Annotated[tuple[Hall, ...], Field(min_length=1)]
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    counters: Annotated[tuple[Counter, ...], Field(min_length=1)]
    profiles: Annotated[tuple[WorkProfile, ...], Field(min_length=1)]
    hours: Hours
    kiosk: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    notices: tuple[Notice, ...] = ()
