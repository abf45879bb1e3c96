"""The shape of the whole municipality document: its city, people and phrases, and the parts it holds together."""

from datetime import time
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.document_office import Office
from config.document_services import Condition, Document, Holiday, LifeEvent, Question, Reference, Service
from config.document_words import Clock, Id, Part, StaffWords, Weekday, Words

StaffRole = Literal["clerk", "floor-lead", "department-admin", "city-admin", "auditor"]


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        raise ValueError(f"not a network such as 10.20.0.0/16: {error}") from None


class StaffAccess(Part):
    """How staff sign in. ``second_factor``: roles that must prove one besides the password; others may.

    ``addresses``: networks staff may sign in and work from; empty: from anywhere.
    """

    second_factor: tuple[StaffRole, ...] = ()
    addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = ()


class Municipality(Part):
    """``neutral``: what a procedure is called where its own name must not be read by others.

    ``booking_kept_days``: so long after the visit names and contacts of bookings are kept.
    """

    id: Id
    name: Words
    city_hall: Words
    neutral: Words
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    timezone: Literal["Asia/Tokyo"] = "Asia/Tokyo"
    booking_kept_days: Annotated[int, Field(ge=1, le=90)] = 7
    staff_access: StaffAccess = StaffAccess()


class Phrase(Part):
    """A sentence of the hall: as written on a board, and as a voice says it."""

    id: Id
    written: Words
    spoken: Words | None = None


class StaffMember(Part):
    """A demonstration account. Passwords are never data: they are drawn at the first start."""

    login: Id
    name: Annotated[str, Field(min_length=1, max_length=40)]
    section: StaffWords
    role: StaffRole
    offices: tuple[Id, ...] = ()
    profile: Id | None = None


class Colleague(Part):
    """A person of an office for its rosters. ``lines``: categories the person can serve, the usual one first."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    section: StaffWords
    office: Id
    lines: Annotated[tuple[Id, ...], Field(min_length=1)]
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    from_: Clock = Field(alias="from", default=time(8, 30))
    until: Clock = time(17, 15)
    lunch: Annotated[int, Field(ge=0, le=120)] = 60
    rest: Annotated[int, Field(ge=0, le=120)] = 30


class MunicipalityDocument(Part):
    municipality: Municipality
    sources: tuple[Reference, ...] = ()
    documents: tuple[Document, ...] = ()
    conditions: tuple[Condition, ...] = ()
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    questions: tuple[Question, ...] = ()
    life_events: tuple[LifeEvent, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    extra_holidays: tuple[Holiday, ...] = ()
    offices: Annotated[tuple[Office, ...], Field(min_length=1)]
    staff: tuple[StaffMember, ...] = ()
    colleagues: tuple[Colleague, ...] = ()
