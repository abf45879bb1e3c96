"""How a line and a service are booked: places by time of day, breaks, groups, windows, and what is asked."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.document_words import Clock, Id, Part, Weekday

Places = Annotated[int, Field(ge=0, le=200)]
Asked = Literal["no", "may", "must"]


class Span(Part):
    """A time of day, its end not included."""

    from_: Clock = Field(alias="from")
    to: Clock

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        if not self.from_ < self.to:
            raise ValueError("from must be before to")
        return self


class BookingBand(Span):
    """A time of day with places of its own; the last that fits counts. ``days`` empty: every day."""

    days: tuple[Weekday, ...] = ()
    capacity: Places
    staff_only: Places = 0

    @model_validator(mode="after")
    def _staff_within(self) -> "BookingBand":
        if self.staff_only > self.capacity:
            raise ValueError("staff_only cannot exceed capacity")
        return self


class BookingGroup(Part):
    """Services that share fewer places than their line has."""

    id: Id
    services: Annotated[tuple[Id, ...], Field(min_length=1)]
    capacity: Annotated[int, Field(ge=1, le=200)]


class LineBooking(Part):
    """One line: ``grid`` minutes a cell, ``capacity`` places in each, of them ``staff_only`` given by staff alone.

    ``lead_minutes``: the last moment before a slot. ``check_in_early``: so long before it may be checked in, and
    ``no_show_after``: so long after its start the place is kept. Fields of app.domain.slots.LineRules.
    """

    grid: Literal[5, 10, 15, 20, 30, 60] = 30
    capacity: Places
    staff_only: Places = 0
    times: tuple[BookingBand, ...] = ()
    breaks: tuple[Span, ...] = ()
    groups: tuple[BookingGroup, ...] = ()
    lead_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    window_days: Annotated[int, Field(ge=1, le=180)] = 30
    most_party: Annotated[int, Field(ge=1, le=20)] = 4
    check_in_early: Annotated[int, Field(ge=5, le=240)] = 60
    no_show_after: Annotated[int, Field(ge=5, le=240)] = 30

    @model_validator(mode="after")
    def _staff_within(self) -> "LineBooking":
        if self.staff_only > self.capacity:
            raise ValueError("staff_only cannot exceed capacity")
        return self


class ServiceBooking(Part):
    """What one service adds: its own window, a clock time after which the next day is the first, what is asked."""

    window_days: Annotated[int, Field(ge=1, le=180)] | None = None
    cut_off: Clock | None = None
    name: Asked = "may"
    contact: Asked = "may"


__all__ = ["BookingBand", "BookingGroup", "LineBooking", "ServiceBooking", "Span"]
