"""What a resident comes for: services, documents to bring, life events and their questions."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.document_booking import ServiceBooking
from config.document_words import Id, MonthDay, Part, Words

Minutes = Annotated[int, Field(ge=0, le=240)]
Yen = Annotated[int, Field(ge=0, le=100_000)]


class ServiceMinutes(Part):
    """Minutes at the counter (accept), in the back office (back) and for handing over (deliver)."""

    accept: Annotated[int, Field(ge=1, le=240)]
    back: Minutes = 0
    deliver: Minutes = 0


class Fee(Part):
    """Whole yen for one copy. ``basis``: ``order`` is fixed nationally, ``local`` by ordinance, ``none`` free."""

    yen: Yen = 0
    basis: Literal["order", "local", "none"] = "none"
    note: Words | None = None

    @model_validator(mode="after")
    def _basis_of_a_fee(self) -> "Fee":
        if (self.yen > 0) == (self.basis == "none"):
            raise ValueError("a fee needs the basis order or local, and no fee the basis none")
        return self


class Season(Part):
    """Days of the year, both included; may run over the end of the year."""

    from_: MonthDay = Field(alias="from")
    to: MonthDay


class NeededDocument(Part):
    """A document of the catalogue as one service asks for it. ``when``: a condition, only for some people."""

    document: Id
    when: Id | None = None


class Condition(Part):
    """For whom a document is asked: “if someone comes for you”."""

    id: Id
    name: Words


class Reference(Part):
    """Where a figure comes from."""

    id: Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,3}$")]
    title: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(pattern=r"^https?://")]


class Document(Part):
    """Something to bring. The same document of several services is shown once."""

    id: Id
    name: Words
    hint: Words | None = None


class Service(Part):
    """One procedure. ``basis`` says where the minutes come from: a source or a planning guess.

    ``deadline_days``: its last day is so many days after the day of the life event (one that counts the day of
    the event itself has one less: 13 for a birth to be filed within 14 days). ``paid_before``: the hand-over is
    not begun, or not ended, before the fee is paid or exempted.
    """

    id: Id
    name: Words
    minutes: ServiceMinutes
    phases: tuple[Literal["accept", "deliver"], ...] = ("accept",)
    fee: Fee = Fee()
    documents: tuple[NeededDocument, ...] = ()
    booking: Literal["none", "possible", "recommended", "required"] = "none"
    lead_days: Annotated[int, Field(ge=0, le=60)] = 0
    booking_rules: ServiceBooking = ServiceBooking()
    privacy: Literal["normal", "high"] = "normal"
    online: bool = False
    deadline: Words | None = None
    deadline_days: Annotated[int, Field(ge=0, le=366)] | None = None
    paid_before: Literal["start", "finish"] | None = None
    note: Words | None = None
    season: Season | None = None
    basis: Literal["sourced", "estimate"] = "estimate"
    sources: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _phases_in_order(self) -> "Service":
        if self.phases not in (("accept",), ("accept", "deliver")):
            raise ValueError("phases are [accept] or [accept, deliver]")
        if "deliver" in self.phases and self.minutes.deliver == 0:
            raise ValueError("a service with the phase deliver needs minutes to deliver")
        if self.paid_before and ("deliver" not in self.phases or not self.fee.yen):
            raise ValueError("paid_before needs the phase deliver and a fee")
        return self


class Answer(Part):
    id: Id
    name: Words
    hint: Words | None = None


class Question(Part):
    """One question of the guide. ``why`` is said below the button; "don't know" is always offered too.

    Without ``answers`` it is answered by yes or no.
    """

    id: Id
    text: Words
    why: Words
    answers: tuple[Answer, ...] = ()

    @property
    def answer_ids(self) -> list[str]:
        return [answer.id for answer in self.answers] or ["yes", "no"]


class When(Part):
    """The step is needed when the question was answered with one of these (or with "don't know")."""

    question: Id
    answers: Annotated[tuple[Id, ...], Field(min_length=1)]


class EventStep(Part):
    service: Id
    when: When | None = None


class LifeEvent(Part):
    """Something that happened to a family, and the procedures it brings, in order.

    ``day``: the question when it happened, for the deadlines; none where nothing runs from it.
    """

    id: Id
    name: Words
    hint: Words | None = None
    privacy: Literal["normal", "high"] = "normal"
    day: Words | None = None
    steps: Annotated[tuple[EventStep, ...], Field(min_length=1)]


class Holiday(Part):
    """A national holiday the calendar library does not know yet (a new law)."""

    date: date
    name: Words
