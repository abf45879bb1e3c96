"""The printed ticket, 80 mm: Japanese and the resident's language, no name, no invented figure."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain.calendar import japanese_date
from app.domain.wait import Range
from app.models.place import Category, Office
from app.models.ticket import Ticket
from app.services import kiosk_visit
from app.services.kiosk_visit import Stage
from app.web.formats import local_short
from app.web.kiosk.door import Kiosk
from app.web.locale import LANGUAGES, plain, speaking
from app.web.resident import qr


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that stands on the paper. ``told``: people ahead and the range as the number was given."""

    kiosk: Kiosk
    office: Office
    ticket: Ticket
    category: Category
    stages: Sequence[Stage]
    told: tuple[int, Range | None] | None
    qr: Markup
    training: bool

    @property
    def length(self) -> str:
        """The paper it needs, a name of kiosk_paper.css."""
        return "short" if len(self.stages) == 1 else "middle" if len(self.stages) <= 4 else "long"

    @property
    def place(self) -> str:
        """Office and hall, in Japanese."""
        hall = self.kiosk.hall or self.stages[0].area.hall
        floor = (hall.settings.get("floor") or {}).get("ja", "")
        return plain(f"{self.office.name['ja']} {floor} {hall.name['ja']}")

    @property
    def date(self) -> str:
        """令和8年4月1日(水)."""
        return japanese_date(self.ticket.business_date)

    @property
    def issued(self) -> str:
        """2026/4/1 11:55, for the part that is torn off."""
        day = self.ticket.business_date
        return f"{day.year}/{day.month}/{day.day} {local_short(self.ticket.issued_at)}"

    @property
    def machine(self) -> str:
        """The name staff gave the machine."""
        return self.kiosk.device.label if self.kiosk.device else ""


def address_of(token: str) -> str:
    """The number's page on a phone."""
    return f"{current_app.config['ADDRESS']}/t/{token}"


def sheet(session: Session, kiosk: Kiosk, ticket: Ticket, *, address: str) -> Sheet:
    """What a ticket's paper says; ``address`` is its page on the phone."""
    return Sheet(
        kiosk=kiosk, office=kiosk.office, ticket=ticket, category=session.get_one(Category, ticket.category_id),
        stages=kiosk_visit.stages(session, ticket), told=kiosk_visit.told(session, ticket), qr=qr(address),
        training=kiosk.office.training,
    )  # fmt: skip


def render(found: Sheet) -> Markup:
    """The paper in Japanese and the ticket's own language, whoever prints it."""
    code = found.ticket.language if found.ticket.language in LANGUAGES else "ja"
    with speaking(code):
        return Markup(render_template("kiosk/paper.html", sheet=found))  # noqa: S704 - a template of ours, escaped
