"""What the API answers about slots and bookings, field by field (rules as in shapes.py)."""

from pydantic import AwareDatetime, JsonValue

from app.web.api.shapes import Names, Shape


class SlotFree(Shape):
    """``capacity`` and ``free`` count people; ``free`` is 0 where this party finds no room."""

    start: AwareDatetime
    end: AwareDatetime
    capacity: int
    free: int


class Slots(Shape):
    slots: list[SlotFree]


class HoldGiven(Shape):
    """``expires_at``: until then the slot is nobody else's."""

    token: str
    expires_at: AwareDatetime
    start: AwareDatetime
    end: AwareDatetime
    party: int


class BookedService(Shape):
    """``fee``: whole yen. ``minutes`` and ``documents`` as in the list of services.

    ``along``: it needs no booking, has no stage of its own and follows on the same number on the day.
    """

    id: str
    name: Names
    fee: int
    minutes: dict[str, int]
    documents: list[JsonValue]
    along: bool


class BookedStage(Shape):
    """From when a service is expected, in which line."""

    service: str
    category: str
    name: Names
    start: AwareDatetime


class BookedTicket(Shape):
    id: int
    number: str


class Booking(Shape):
    """``state``: held, booked, arrived, cancelled, expired or no_show. ``ticket``: once it has been checked in."""

    reference: str | None
    office: str
    state: str
    start: AwareDatetime
    end: AwareDatetime
    party: int
    language: str
    category: str
    services: list[BookedService]
    stages: list[BookedStage]
    expires_at: AwareDatetime | None
    moves: int
    ticket: BookedTicket | None


class BookingGiven(Booking):
    """``manage_url``: the signed link, to look, move and cancel."""

    token: str
    manage_url: str
