"""The life-event guide at one office: the catalogue's questions, and what a family's answers come to there.

Reads only. Nothing of what is answered is kept: a plan is made anew from its code each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import guide
from app.domain.guide import Answers, Guide, GuideStep, LifeEvent, Query
from app.domain.visit import Stop
from app.domain.wait import Range
from app.models.place import Category, Offering, Office, Service
from app.services import catalogue, kiosk_visit
from app.services.kiosk_visit import Area

Words = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The guide of a municipality: its rules, and the words of its events and questions by id."""

    guide: Guide
    events: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One procedure of a plan. ``line`` None: this office does not offer it, ``elsewhere`` names those that do.

    ``minutes`` at the counters without any wait; ``due``: the last day, where the day of the event is known.
    """

    service: Service
    line: Category | None
    area: Area | None
    elsewhere: Sequence[Office]
    minutes: int
    due: date | None

    @property
    def online(self) -> bool:
        return bool(self.service.details.get("online"))

    @property
    def booking(self) -> str:
        """none, possible, recommended or required."""
        return str(self.service.details.get("booking", "none"))


@dataclass(slots=True, kw_only=True)
class ToBring:
    """A document, once over all procedures. ``always``: somebody needs it whatever the case."""

    name: Words
    hint: Words | None
    always: bool = False
    cases: list[Words] = field(default_factory=list)
    for_: list[Words] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the answers come to at one office; ``here`` are the procedures it offers, in a feasible order."""

    event: LifeEvent
    body: Mapping[str, Any]
    answers: Mapping[str, str]
    code: str
    day: date | None
    procedures: Sequence[Procedure]
    documents: Sequence[ToBring]
    minutes: Range | None

    @property
    def here(self) -> list[Procedure]:
        return [each for each in self.procedures if each.line is not None]

    @property
    def walk_in(self) -> list[Procedure]:
        """Those a number can be taken for; the others are by booking only."""
        return [each for each in self.here if each.line is not None and not each.line.booking_only]

    @property
    def by_web(self) -> list[Procedure]:
        """Those a number can be taken for from outside; for the others one comes to the kiosk."""
        return [each for each in self.walk_in if each.line is not None and each.line.web_ticket]

    @property
    def bookable(self) -> list[Procedure]:
        """Those that get a time of their own when the visit is booked."""
        return [each for each in self.here if each.line is not None and each.service.bookable and each.line.booking]

    @property
    def visit(self) -> list[Procedure]:
        """All that one booking holds: what needs none follows on the same number; nothing where none can be booked."""
        booked = self.bookable
        return [each for each in self.here if each in booked or each in self.walk_in] if booked else []

    @property
    def beside(self) -> list[Procedure]:
        """Those of a booked visit that have no time of their own."""
        return [each for each in self.visit if each not in self.bookable]

    @property
    def counters(self) -> int:
        """Rows of counters to go to."""
        return len({each.line.id for each in self.here if each.line is not None})

    @property
    def fee(self) -> int:
        """Whole yen, one copy of each certificate."""
        return sum(each.service.fee_yen for each in self.procedures)

    @property
    def first_due(self) -> Procedure | None:
        """The procedure whose last day comes first."""
        return min((p for p in self.procedures if p.due), key=lambda p: p.due or date.max, default=None)

    @property
    def sensitive(self) -> bool:
        return self.body.get("privacy") == "high"


def book(session: Session, municipality_id: str) -> Book:
    """The municipality's guide as it stands in the catalogue now."""
    events = catalogue.items(session, municipality_id, "life_event")
    questions = catalogue.items(session, municipality_id, "question")
    queries = [
        Query(id=name, answers=tuple(answer["id"] for answer in body["answers"]) or ("yes", "no"))
        for name, body in questions.items()
    ]
    found = [
        LifeEvent(id=name, steps=tuple(_step(step) for step in body["steps"]), asks_day=bool(body.get("day")))
        for name, body in events.items()
    ]
    return Book(guide=Guide(found, queries), events=events, questions=questions)


def _step(step: Mapping[str, Any]) -> GuideStep:
    when = step.get("when") or {}
    return GuideStep(service=step["service"], question=when.get("question"), answers=frozenset(when.get("answers", ())))


def plan(
    session: Session, office: Office, found: Book, *, event: LifeEvent, answers: Answers, day: date | None
) -> Plan:
    """The procedures, documents, fees, minutes and last days of these answers at this office."""
    known = found.guide.known(event, answers)
    needed = found.guide.services(event, known)
    services = {
        each.id: each
        for each in session.scalars(
            select(Service).where(Service.id.in_(needed), Service.municipality_id == office.municipality_id)
        )
    }
    offered = _offered(session, office.municipality_id, needed)
    procedures = [
        _procedure(session, office, services[name], offered.get(name, []), day=day)
        for name in needed
        if name in services
    ]
    return Plan(
        event=event, body=found.events[event.id], answers=known, code=found.guide.code(event, known), day=day,
        procedures=procedures, documents=documents([each.service for each in procedures]),
        minutes=guide.minutes([_stop(each.service) for each in procedures if each.line is not None]),
    )  # fmt: skip


def by_code(session: Session, office: Office, code: str, *, day: date | None = None) -> Plan:
    """The plan of a code. Raises NotFound for one that is not of this guide."""
    found = book(session, office.municipality_id)
    event, answers = found.guide.read(code)
    return plan(session, office, found, event=event, answers=answers, day=day)


def _offered(session: Session, municipality_id: str, services: Sequence[str]) -> dict[str, list[tuple[Office, str]]]:
    rows = session.execute(
        select(Offering.service_id, Offering.category_id, Office)
        .join(Office, Office.id == Offering.office_id)
        .where(Offering.service_id.in_(services), Offering.active, Office.municipality_id == municipality_id)
        .order_by(Office.position, Office.id)
    )
    found: dict[str, list[tuple[Office, str]]] = {}
    for service, category, office in rows:
        found.setdefault(service, []).append((office, category))
    return found


def _procedure(
    session: Session, office: Office, service: Service, offered: Sequence[tuple[Office, str]], *, day: date | None
) -> Procedure:
    here = next((category for at, category in offered if at.id == office.id), None)
    line = session.get_one(Category, here) if here else None
    days = service.details.get("deadline_days")
    return Procedure(
        service=service, line=line, area=kiosk_visit.area(session, line) if line else None,
        elsewhere=[] if here else [at for at, _ in offered],
        minutes=sum(service.minutes.get(part) or 0 for part in ("accept", "back", "deliver")),
        due=guide.last_day(day, days) if day is not None and days is not None else None,
    )  # fmt: skip


def _stop(service: Service) -> Stop:
    known = service.minutes
    return Stop(
        wait=Range(0, 0), accept=known.get("accept") or 0, back=known.get("back") or 0,
        deliver=known.get("deliver") or 0,
    )  # fmt: skip


def documents(services: Sequence[Service]) -> list[ToBring]:
    """Each document of some procedures once, what everybody needs first."""
    found: dict[str, ToBring] = {}
    for service in services:
        for needed in service.documents:
            item = found.setdefault(needed["id"], ToBring(name=needed["name"], hint=needed.get("hint")))
            item.for_.append(service.name)
            if needed.get("when") is None:
                item.always = True
            elif needed["when"] not in item.cases:
                item.cases.append(needed["when"])
    return sorted(found.values(), key=lambda item: not item.always)


def answered(event: LifeEvent, found: Book, given: Answers, *, day_known: bool) -> str | None:
    """The next thing to ask: ``day``, a question's id, or None when all is answered."""
    if event.asks_day and not day_known:
        return "day"
    return next((query.id for query in found.guide.queries(event) if query.id not in given), None)
