"""What the kiosk shows and accepts: purposes by line, what goes together, where to wait, how long it will be.

The published layout (kiosk_layout.py) says what there is; here it meets the hour, the lines and the counters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.domain.errors import Closed, Conflict, InvalidInput, NotFound
from app.models.place import Category, Office, Service
from app.services import catalogue, kiosk_layout
from app.services.kiosk_layout import Choice
from app.services.tickets import MOST_SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The purposes of one line in the order of the screen; ``open``: one of them can be chosen now."""

    category: Category
    buttons: Sequence[Choice]

    @property
    def open(self) -> bool:
        return any(button.open and not button.purpose.booked_only for button in self.buttons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One procedure somebody chose: a button, and which of its services. ``key`` names both in a form."""

    choice: Choice
    service: Service

    @property
    def key(self) -> str:
        purpose = self.choice.purpose
        return purpose.id if self.service.id == purpose.services[0] else f"{purpose.id}.{self.service.id}"

    @property
    def category(self) -> Category:
        return self.choice.category


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A procedure people in the same situation often add, with the reason in words by language."""

    wanted: Wanted
    why: Mapping[str, str]


def choices(session: Session, office: Office, *, at: datetime) -> list[Choice]:
    """The shown purposes; in training mode every hour is an opening hour."""
    found = kiosk_layout.choices(session, office.id, at=at)
    if not office.training:
        return found
    return [
        Choice(purpose=each.purpose, category=each.category, open=True, until=each.until, opens_at=None)
        for each in found
    ]


def groups(found: Sequence[Choice]) -> list[Group]:
    """By line, in the order in which the lines first occur on the screen."""
    lines: dict[str, list[Choice]] = {}
    for each in found:
        lines.setdefault(each.category.id, []).append(each)
    return [Group(category=buttons[0].category, buttons=buttons) for buttons in lines.values()]


def wanted(session: Session, found: Sequence[Choice], keys: Sequence[str]) -> list[Wanted]:
    """What the keys of a form name, each procedure once; purposes that are closed are among them.

    Raises NotFound for a purpose that is not on the screen, InvalidInput for too many.
    """
    if len(keys) > MOST_SERVICES:
        raise InvalidInput("bad_services")
    shown = {each.purpose.id: each for each in found}
    chosen: dict[str, Wanted] = {}
    for key in keys:
        name, _, service_id = key.partition(".")
        choice = shown.get(name)
        if choice is None or (service_id and service_id not in choice.purpose.services):
            raise NotFound(what="purpose")
        service = session.get_one(Service, service_id or choice.purpose.services[0])
        chosen.setdefault(service.id, Wanted(choice=choice, service=service))
    return list(chosen.values())


def refuse_closed(asked: Sequence[Wanted]) -> None:
    """Raise Closed("service_closed") with ``opens_at`` (T4), Conflict("booked_only") for booked people's purposes."""
    if not asked:
        raise InvalidInput("bad_services")
    for each in asked:
        if each.choice.purpose.booked_only:
            raise Conflict("booked_only")
        if not each.choice.open:
            raise Closed("service_closed", opens_at=each.choice.opens_at, title=each.choice.purpose.title)


def companions(session: Session, office: Office, found: Sequence[Choice], asked: Sequence[Wanted]) -> list[Companion]:
    """What life events add to the first thing chosen, as far as it is on the screen and open; fewer beside more."""
    if not asked:
        return []
    have = {each.service.id for each in asked}
    questions = catalogue.items(session, office.municipality_id, "question")
    offers: dict[str, Companion] = {}
    for step in _steps_beside(session, office, asked[0].service.id):
        choice = _button_of(found, step["service"])
        if choice is None or step["service"] in have or step["service"] in offers or not step.get("when"):
            continue
        service = session.get_one(Service, step["service"])
        why = questions.get(step["when"]["question"], {}).get("why") or {}
        offers[service.id] = Companion(wanted=Wanted(choice=choice, service=service), why=why)
    return list(offers.values())[: max(2, 8 - 2 * len(asked))]


def _steps_beside(session: Session, office: Office, service_id: str) -> list[dict[str, Any]]:
    """The steps of the life events that begin with a service."""
    events = catalogue.items(session, office.municipality_id, "life_event").values()
    return [
        step for event in events if event["steps"] and event["steps"][0]["service"] == service_id
        for step in event["steps"][1:]
    ]  # fmt: skip


def _button_of(found: Sequence[Choice], service_id: str) -> Choice | None:
    return next((e for e in found if service_id in e.purpose.services and e.open and not e.purpose.booked_only), None)
