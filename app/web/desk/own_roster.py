"""The clerk's own days of the published roster: as a page, as a word beside the desk, as a calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Response, make_response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock
from app.domain.errors import NotFound
from app.models.place import Category, Office
from app.services import access, own_roster
from app.services.own_roster import OwnDay, Stretch
from app.web import security
from app.web.manage import roster_paper

# What this browser has seen of it last: the instant of the newest publication.
SEEN_COOKIE = "madoguchi_roster_seen"
_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A person's published days. ``newest``: when the last of the office's was published, as the cookie keeps it.

    ``today``, ``next``: today's day and the next one after it, where they are published.
    """

    days: Sequence[OwnDay]
    lines: dict[str, Category]
    newest: str
    today: OwnDay | None
    next: OwnDay | None
    now: int

    @property
    def news(self) -> bool:
        """Something was published that this browser has not seen."""
        return self.newest > request.cookies.get(SEEN_COOKIE, "")

    @property
    def planned(self) -> Stretch | None:
        """Where the person is to be now, or next today."""
        return next((each for each in self.today.stretches if each.ends > self.now), None) if self.today else None


def read(session: Session, who: access.Principal, *, at: datetime) -> Own | None:
    """The own days of whoever is in a roster; None for others."""
    member = own_roster.member_of(session, who.id)
    if member is None:
        return None
    days, today, local = own_roster.days(session, member, at=at), business_date(at), clock(at)
    categories = session.scalars(select(Category).where(Category.office_id == member.office_id))
    return Own(
        days=days, lines={each.id: each for each in categories},
        newest=_mark(own_roster.newest(session, member.office_id, at=at)),
        today=next((each for each in days if each.day == today), None),
        next=next((each for each in days if each.day > today), None), now=local.hour * 60 + local.minute,
    )  # fmt: skip


def news(session: Session, who: access.Principal, *, at: datetime) -> bool | None:
    """Whether something was published that this browser has not seen; None for whoever is in no roster."""
    member = own_roster.member_of(session, who.id)
    if member is None:
        return None
    newest = _mark(own_roster.newest(session, member.office_id, at=at))
    return newest > request.cookies.get(SEEN_COOKIE, "")


def _mark(published: datetime | None) -> str:
    return f"{published:%Y%m%d%H%M%S}" if published else ""


def page(who: access.Principal) -> Response:
    """The next two weeks by day; what was new is seen with it."""
    at = security.now()
    with security.database().snapshot() as session:
        own = read(session, who, at=at)
        office = session.get(Office, who.office_id) if who.office_id else None
        response = make_response(render_template("desk/own_roster.html", own=own, who=who, office=office))
    if own is not None and own.days:
        response.set_cookie(
            SEEN_COOKIE, own.newest, max_age=_YEAR_SECONDS, samesite="Lax", httponly=True,
            secure=request.is_secure,
        )  # fmt: skip
    return response


def calendar(who: access.Principal) -> Response:
    """The same as a calendar file. Raises NotFound for whoever is in no roster."""
    at = security.now()
    with security.database().snapshot() as session:
        member = own_roster.member_of(session, who.id)
        if member is None:
            raise NotFound(what="member")
        office, until = session.get_one(Office, member.office_id), _until(at)
        return roster_paper.as_calendar(session, office, member, until, at)


def _until(at: datetime) -> date:
    return business_date(at) + timedelta(days=own_roster.AHEAD_DAYS)
