"""The lobby board: drawn by the server from one board, followed by app/static/js/board.js."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, g, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Category, Hall, Office
from app.services import board, catalogue, hours
from app.web import security
from app.web.formats import day_words, local_short
from app.web.locale import plain, speaking, t
from app.web.resident import qr

blueprint = Blueprint("displays", __name__)
HOLD = timedelta(seconds=20)
MOST_AT_ONCE, LISTED = 3, 5
RANGE = "約%(low)s〜%(high)s分"


def split_calls(calls: list[dict[str, Any]], at: datetime) -> tuple[list[dict[str, Any]], bool, list[dict[str, Any]]]:
    """``(hero, fresh, before)``: calls younger than the hold share the hero, three at most, newest first."""
    new = [call for call in calls if at - datetime.fromisoformat(call["called_at"]) < HOLD][:MOST_AT_ONCE]
    hero = new or calls[:1]
    return hero, bool(new), calls[len(hero) : len(hero) + LISTED]


def _closed(session: Session, office: Office, at: datetime, seen: dict[str, Any]) -> bool:
    """Closed hours, and nobody left in the hall."""
    if office.training or seen["waiting"]:
        return False
    return not hours.is_open(session, office.id, at)


def _says(session: Session, office: Office, hall: Hall | None) -> dict[str, Any]:
    """What the board's script needs besides snapshots: the hall's sentences, languages, sound and hold (seconds)."""
    chosen = hall.settings if hall else {}
    found = {name: catalogue.phrase(session, office.municipality_id, name) for name in ("call", "deliver")}
    aloud = {name: catalogue.phrase(session, office.municipality_id, name, spoken=True) for name in ("call", "deliver")}
    return {
        "written": found["call"], "deliver": found["deliver"],
        "spoken": aloud["call"], "spoken_deliver": aloud["deliver"],
        "languages": chosen.get("languages") or ["ja", "en"], "sound": chosen.get("voice", "chime"),
        "hold": HOLD.total_seconds(),
        "words": {"now": plain(t("すぐにご案内")), "range": plain(t(RANGE, low="{low}", high="{high}"))},
    }  # fmt: skip


def _english(at: datetime) -> str:
    """Thu 2 Apr 8:30, for the second line of a glass that is closed."""
    with speaking("en"):
        return f"{day_words(business_date(at))} {local_short(at)}"


def _marks(session: Session, office_id: str) -> dict[str, Category]:
    """The lines with their shapes and hues, by id."""
    return {line.id: line for line in session.scalars(select(Category).where(Category.office_id == office_id))}


@blueprint.get("/board/<office>")
@blueprint.get("/board/<office>/<hall>")
@security.policy(Function.PUBLIC)
def show(office: str, hall: str | None = None) -> str:
    """Numbers, counters, lines and news of an office or one hall; no personal data is on it."""
    # The glass is Japanese first; the second language stands below each line.
    g.language = "ja"
    at = security.now()
    with security.database().snapshot() as session:
        seen = board.read(session, office_id=office, hall_id=hall, at=at)
        place = session.get(Office, office)
        if place is None:
            raise NotFound(what="office")
        room = session.get(Hall, hall) if hall else None
        hero, fresh, before = split_calls(seen["calls"], at)
        return render_template(
            "board.html", office=place, hall=room, board=seen, hero=hero, fresh=fresh, before=before, at=at,
            closed=_closed(session, place, at, seen), opens=hours.next_opening(session, office, at),
            says=_says(session, place, room), marks=_marks(session, office), english=_english,
            home=qr(f"{current_app.config['ADDRESS']}/o/{office}"),
        )  # fmt: skip
