"""What the API answers, field by field, for the OpenAPI document; a test holds every answer to these shapes.

Names are by language (``ja`` always); instants are ISO 8601 with offset; ids are strings except tickets' and steps'.
"""

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

Names = dict[str, str]


class Shape(BaseModel):
    """Every field is named; an answer with another one is a defect of this file."""

    model_config = ConfigDict(extra="forbid")


class Range(Shape):
    """Minutes to wait, as people are told."""

    low: int
    high: int


class OfficeName(Shape):
    id: str
    name: Names


class Offices(Shape):
    offices: list[OfficeName]


class CategoryPlace(Shape):
    id: str
    prefix: str
    name: Names
    hall: str


class CounterPlace(Shape):
    id: str
    number: str
    name: Names
    hall: str
    state: str


class OfficeInFull(OfficeName):
    """``takes_numbers``: a number can be taken now."""

    municipality: Names
    halls: list[OfficeName]
    categories: list[CategoryPlace]
    counters: list[CounterPlace]
    open_now: bool
    takes_numbers: bool
    next_opening: AwareDatetime | None


class ServiceOffered(Shape):
    """``fee`` in yen, ``minutes`` by phase; ``closed``: it cannot be chosen at this minute."""

    id: str
    name: Names
    fee: int
    minutes: dict[str, JsonValue]
    documents: list[dict[str, JsonValue]]
    phases: list[str]
    category: str
    bookable: bool
    booking_only: bool
    closed: bool


class Services(Shape):
    services: list[ServiceOffered]


class Call(Shape):
    seq: int
    number: str
    counter: str
    phase: str
    called_at: AwareDatetime


class Line(Shape):
    """``lamp``: how busy the line is, in one word."""

    id: str
    prefix: str
    name: Names
    waiting: int
    estimate: Range | None
    open_counters: int
    lamp: str


class Notice(Shape):
    level: str
    text: Names


class Board(Shape):
    """``waiting``: by prefix, ``[number, low, high]`` in calling order."""

    office: str
    hall: str | None
    epoch: str
    seq: int
    at: AwareDatetime
    business_date: date
    calls: list[Call]
    categories: list[Line]
    waiting: dict[str, list[tuple[str, int | None, int | None]]]
    notices: list[Notice]


class AtCounter(Shape):
    """``state``: called or serving; ``recalls``: how often called again."""

    number: str
    state: str
    phase: str
    category: str
    recalls: int


class Glass(Shape):
    """What stands above one counter. ``instead``: the counter that serves its line while it does not."""

    id: str
    number: str
    state: str
    back_at: AwareDatetime | None
    line: str | None
    instead: str | None
    now: AtCounter | None


class Glasses(Shape):
    office: str
    hall: str | None
    epoch: str
    seq: int
    at: AwareDatetime
    business_date: date
    counters: list[Glass]


class QueueLine(Line):
    hall: str
    section: str
    target_minutes: int
    longest_since: AwareDatetime | None


class QueueCounter(CounterPlace):
    section: str
    since: AwareDatetime | None
    back_at: AwareDatetime | None
    profile: str | None
    lines: list[dict[str, JsonValue]]
    capacity: int
    staff: str
    staff_id: int | None
    help_since: AwareDatetime | None
    steps: list[int]


class QueueStep(Shape):
    id: int
    ticket: int
    number: str
    category: str
    service: str
    position: int
    phase: str
    state: str
    priority: bool
    entry: str | None
    slot_at: AwareDatetime | None
    arrived_at: AwareDatetime | None
    waiting_since: AwareDatetime | None
    due_at: AwareDatetime | None
    eligible_at: AwareDatetime | None
    called_at: AwareDatetime | None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    changed_at: AwareDatetime
    counter: str | None
    recalls: int
    language: str
    party: int
    channel: str


class Queue(Shape):
    """The staff's view: waiting steps first, in calling order."""

    office: str
    epoch: str
    seq: int
    at: AwareDatetime
    business_date: date
    counters: list[QueueCounter]
    categories: list[QueueLine]
    steps: list[QueueStep]
    services: dict[str, Names]


class TicketStep(Shape):
    id: int
    service: str
    name: Names
    phase: str
    state: str
    category: str
    counter: str | None
    hall: str | None
    called_at: AwareDatetime | None
    recalls: int
    ended_at: AwareDatetime | None


class Ticket(Shape):
    """``ahead``: people before it; ``estimate`` null while too little is known; ``counter`` when called."""

    id: int
    number: str
    office: str
    business_date: date
    category: str
    prefix: str
    status: str
    language: str
    priority: bool
    party: int
    issued_at: AwareDatetime
    confirm_by: AwareDatetime | None
    steps: list[TicketStep]
    ahead: int | None
    estimate: Range | None
    counter: str | None
    hall: str | None
    delivering: bool


class TicketGiven(Ticket):
    """``token`` opens ``status_url``; whoever has it has the number."""

    token: str
    status_url: str


class CounterNow(Shape):
    id: str
    number: str
    state: str
    profile: str | None
    categories: list[str]
    since: AwareDatetime | None


class StepNow(Shape):
    id: int
    service: str
    category: str
    phase: str
    state: str
    counter: str | None
    recalls: int


class TicketShort(Shape):
    id: int
    number: str
    language: str
    priority: bool


class Moved(Shape):
    step: StepNow
    ticket: TicketShort


class Reason(Shape):
    """Why it was this number's turn: a stable ``code`` and a sentence in the caller's language."""

    code: str
    sentence: str


class Called(Moved):
    reason: Reason


class Refusal(Shape):
    code: str
    message: str
    details: dict[str, JsonValue]


class PaymentAsked(Shape):
    """Where to pay; ``amount`` in whole yen."""

    id: int
    amount: int
    checkout_url: str


class PaymentNow(Shape):
    """Whole yen. ``state``: free, owed, checking, paid or refunded."""

    id: int
    reference: str
    state: str
    due: int
    owed: int
    paid: int
    refunded: int


class HookHeard(Shape):
    received: bool
    state: str


class Error(Shape):
    """Every refusal: a stable ``code``, a ``message`` in the language of Accept-Language, ``details`` by the code."""

    error: Refusal
