"""A second city beside the sample, and one of everything that an address can name."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.roles import Role
from app.factory import create_app
from app.models.people import Account, Approval
from app.models.place import Category, Counter, Hall, Municipality, Offering, Office, Service
from app.services import access, counters, queue, tickets
from config.settings import Settings

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
OWN, OTHER = "aonami", "midori"
# Where a caller of each kind belongs: city, office, counter.
HERE, BRANCH, ELSEWHERE = (OWN, "ward"), (OWN, "branch"), (OTHER, "midori-ward")


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What the addresses of the matrix name, all of the ward office."""

    counter: str
    step: int
    ticket: str
    ticket_id: int
    number: str
    account: int
    device: int
    approval: int


def application(database: Database) -> Flask:
    return create_app(Settings(secret_key=SECRET, database_url=database.url), database)


def found_second_city(session: Session, at: datetime) -> None:
    """Midori: one office, one line, one counter, one service."""
    settings = session.get_one(Municipality, OWN).settings
    name = {"ja": "緑市"}
    session.add(Municipality(id=OTHER, name=name, settings=settings))
    session.flush()
    session.add(Office(id="midori-ward", municipality_id=OTHER, name=name, epoch="m", settings={"training": True}))
    session.add(
        Service(id="midori-paper", municipality_id=OTHER, name=name, public_name=name, minutes={"reception": 5},
                phases=["reception"])
    )  # fmt: skip
    session.flush()
    session.add(Hall(id="midori-hall", office_id="midori-ward", name=name))
    session.flush()
    session.add(
        Category(id="midori-line", office_id="midori-ward", hall_id="midori-hall", prefix="M", name=name,
                 public_name=name)
    )  # fmt: skip
    session.add(Counter(id="midori-1", office_id="midori-ward", hall_id="midori-hall", number="1"))
    session.flush()
    session.add(Offering(office_id="midori-ward", service_id="midori-paper", category_id="midori-line"))
    session.flush()


def account(session: Session, login: str, *, role: Role, place: tuple[str, str | None], at: datetime) -> Account:
    found = Account(
        municipality_id=place[0], office_id=place[1], login=login, name=login, section="市民課", role=role,
        password_hash="!", created_at=at,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def furnish(database: Database) -> Things:
    """The second city, and at the ward office: a called step, an account, a device, a wish of two persons."""
    at = datetime.now(UTC)
    with database.transaction() as session:
        found_second_city(session, at)
        here = session.scalars(select(Counter).where(Counter.office_id == "ward").order_by(Counter.position)).first()
        assert here is not None
        counters.open_counter(session, counter_id=here.id, actor="test", at=at, categories=["ward-certificates"])
        wish = tickets.Wish(services=["juminhyo"], channel="kiosk")
        ticket = tickets.issue(session, office_id="ward", wish=wish, seed="s", secret=SECRET.encode(), actor="test",
                               at=at)  # fmt: skip
        called = queue.call_next(session, counter_id=here.id, actor="test", at=at)
        assert called is not None
        asking = account(session, "asking", role=Role.CITY_ADMIN, place=(OWN, None), at=at)
        target = account(session, "target", role=Role.CLERK, place=HERE, at=at)
        device = access.issue_token(session, token="a device of the ward", role=Role.DISPLAY, municipality_id=OWN,
                                    office_id="ward", label="板", at=at)  # fmt: skip
        approval = Approval(municipality_id=OWN, account_id=target.id, act="grant", requested_by=asking.id,
                            requested_at=at)  # fmt: skip
        session.add(approval)
        session.flush()
        return Things(
            counter=here.id, step=called[0].id, ticket=_token(ticket), ticket_id=ticket.id, number=ticket.number,
            account=target.id, device=device.id, approval=approval.id,
        )  # fmt: skip


def _token(ticket: Any) -> str:
    from app.domain.refs import ticket_token

    return ticket_token(SECRET.encode(), ticket.seed)
