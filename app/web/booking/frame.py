"""What the booking screens share: the blueprint, what somebody wants to book, and how addresses carry it.

What is wanted stands in the address (``s`` for each procedure, ``party``), so that back, bookmark and no script
work; nothing is kept before a time is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain.booking import MOST_SERVICES
from app.domain.calendar import business_date, parse_date, parse_instant
from app.domain.delivery import Channel
from app.domain.errors import InvalidInput, NotFound
from app.models.place import Category, Office, Service
from app.services import availability, kiosk_visit
from app.services.availability import Visit
from app.web import security
from app.web.formats import runs
from app.web.locale import pick, t
from app.web.notify import ways
from app.web.resident import keep_language

LARGEST_PARTY = 20
blueprint = Blueprint("booking", __name__)
blueprint.after_request(keep_language)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """A booking's link is its key: it is told to no other site and kept in no cache."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to book at one office. ``minutes``: at the counters; ``fee``: whole yen."""

    office: Office
    visit: Visit
    services: Sequence[Service]
    party: int

    @property
    def names(self) -> list[dict[str, Any]]:
        return [service.name for service in self.services]

    @property
    def booked(self) -> list[Service]:
        """Those with a time of their own."""
        return [service for service in self.services if service not in self.beside]

    @property
    def beside(self) -> list[Service]:
        """Those that need no booking: they follow on the same number."""
        names = {part.service for part in self.visit.along}
        return [service for service in self.services if service.id in names]

    @property
    def minutes(self) -> int:
        """One certificate serves a family: what needs no booking is counted once."""
        booked = sum(part.minutes for part in self.visit.parts) * self.party
        return booked + sum(part.minutes for part in self.visit.along)

    @property
    def fee(self) -> int:
        return sum(service.fee_yen for service in self.services)

    @property
    def lines(self) -> list[str]:
        """The lines of people it takes, by id."""
        return self.visit.lines

    def address(self, page: str, **values: Any) -> str:
        """A page of these screens that goes on with the same wish."""
        names = [service.id for service in self.services]
        party = self.party if self.party > 1 else None
        return url_for(f"booking.{page}", office=self.office.id, s=names, party=party, **values)


def wanted(session: Session, office: Office, services: Sequence[str], party: int) -> Wanted:
    """The wish as the catalogue knows it. Raises what ``availability.visit`` raises."""
    visit = availability.visit(session, office_id=office.id, services=services)
    found = {each.id: each for each in session.scalars(select(Service).where(Service.id.in_(services)))}
    return Wanted(office=office, visit=visit, services=[found[name] for name in visit.services], party=party)


def asked(session: Session, office: Office) -> Wanted:
    """The wish of this request's address."""
    names = list(dict.fromkeys(request.values.getlist("s")))[: MOST_SERVICES + 1]
    return wanted(session, office, names, asked_party())


def asked_party() -> int:
    """How many people come; 1 where nothing sensible was said."""
    text = request.values.get("party", "1")
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST_PARTY else 1


def asked_day(name: str, default: date | None = None) -> date:
    """A day of the address. Raises NotFound for what is none and was needed."""
    text = request.values.get(name)
    if text:
        try:
            return parse_date(text)
        except InvalidInput:
            pass
    if default is None:
        raise NotFound(what="day")
    return default


def asked_start(text: str | None) -> datetime:
    """The start somebody chose. Raises InvalidInput for what is no instant with an offset."""
    return parse_instant(text or "", "start")


def today() -> date:
    return business_date(security.now())


def place(session: Session, categories: Sequence[str]) -> Markup:
    """Where to go first: floor and counters of the first line."""
    category = session.get(Category, categories[0]) if categories else None
    if category is None:
        return Markup("")
    area = kiosk_visit.area(session, category)
    floor = pick(area.hall.settings.get("floor"))
    if not area.counters:
        return Markup("{} {}").format(floor, pick(area.hall.name))
    return Markup("{} {}").format(floor, t("%(counters)s番窓口", counters=runs(area.counters)))


def told_by() -> list[str]:
    """The fields of the form by which this installation can tell somebody something: ``email``, ``phone``."""
    on = ways().channels
    return [name for name, channel in (("email", Channel.EMAIL), ("phone", Channel.SMS)) if channel in on]


def sealer() -> Sealer:
    """The keys of what people give, made once for the process."""
    found = current_app.extensions.get("sealer")
    if not isinstance(found, Sealer):
        found = current_app.extensions["sealer"] = Sealer(str(current_app.config["SECRET_KEY"]).encode())
    return found
