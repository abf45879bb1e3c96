"""The display above one counter: drawn by the server from one snapshot, followed by app/static/js/counter.js.

Japanese first, as all of the glass; the line below speaks the hall's other languages in turn (``?lang=`` holds one).
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, g, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Category, Counter, Hall, Office
from app.services import counter_board, kiosk_visit
from app.web import security
from app.web.formats import local_short
from app.web.locale import LANGUAGES, plain, speaking, t

blueprint = Blueprint("counter_display", __name__)
# What the second line says, by state; {number}, {counter} and {time} are filled by the glass.
SECOND = {
    "called": "番号札{number}番の方、この窓口へお越しください。",
    "deliver": "番号札{number}番の方、証明書ができました。この窓口へお越しください。",
    "serving": "{number}番の方をご案内しています。",
    "open": "番号札をお持ちになり、お席でお待ちください。",
    "back": "{time}に再開します。",
    "soon": "まもなく再開します。",
    "closed": "この窓口は閉じています。",
    "instead": "{counter}番窓口でお呼びします。",
    "stale": "番号は、職員が声でお呼びします。",
}
NAME = "%(n)s番窓口"


def state_of(glass: dict[str, Any]) -> str:
    """Which state of the glass a counter of ``counter_board.read`` is in; app/static/js/counter.js says the same.

    A party that is called or served is shown whatever the counter says of itself: it was sent here.
    """
    party = glass["now"]
    if party is not None:
        if party["state"] == "serving":
            return "serving"
        return "deliver" if party["phase"] == "deliver" else "called"
    if glass["state"] == "paused":
        return "back" if glass["back_at"] else "soon"
    return "open" if glass["state"] == "open" else "closed"


def _catalogue_name(code: str) -> str:
    return LANGUAGES[code][0]


def _second_languages(hall: Hall) -> list[str]:
    """Codes of the languages that take turns below the Japanese."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES and asked != "ja":
        return [asked]
    named = {names[0]: code for code, names in LANGUAGES.items()}
    chosen = [named[name] for name in hall.settings.get("languages") or () if name in named and name != "ja"]
    return chosen or ["en"]


def _line_name(line: Category, code: str) -> str:
    """The name of a line beside a number: the neutral one where there is one, for every service of it alike."""
    names = line.neutral_name or line.public_name or line.name
    name = _catalogue_name(code)
    return plain(names.get(name) or names.get("en") or names["ja"])


def _section(place: Counter, line: Category | None) -> str:
    """Whose counter it is; nothing beside a line with a neutral name, which the section would tell."""
    return "" if line is not None and line.neutral_name else place.section


def _says(session: Session, place: Counter, hall: Hall) -> dict[str, Any]:
    """What the script fills in: the second line by language and state, the names of the lines."""
    lines = session.scalars(select(Category).where(Category.office_id == place.office_id)).all()
    spoken = _second_languages(hall)
    second: dict[str, dict[str, str]] = {}
    for code in spoken:
        with speaking(code):
            second[code] = {state: plain(t(text)) for state, text in SECOND.items()}
            second[code]["name"] = plain(t(NAME, n=place.number))
    names = {line.id: {code: _line_name(line, code) for code in ("ja", *spoken)} for line in lines}
    return {"languages": spoken, "second": second, "lines": names}


@blueprint.get("/counter/<counter>")
@security.policy(Function.PUBLIC)
def show(counter: str) -> str:
    """One counter: its number, whom it called or serves, or why nobody is called here now."""
    g.language = "ja"
    at = security.now()
    with security.database().snapshot() as session:
        place = session.get(Counter, counter)
        if place is None:
            raise NotFound(what="counter")
        hall = session.get_one(Hall, place.hall_id)
        seen = counter_board.read(session, office_id=place.office_id, hall_id=place.hall_id, at=at)
        glass = next(each for each in seen["counters"] if each["id"] == counter)
        marks = session.scalars(select(Category).where(Category.office_id == place.office_id)).all()
        line = next((each for each in marks if each.id == glass["line"]), None)
        return render_template(
            "counter.html", place=place, office=session.get_one(Office, place.office_id), board=seen, glass=glass,
            state=state_of(glass), says=_says(session, place, hall), marks=marks, section=_section(place, line),
            help=kiosk_visit.information(session, place.office_id),
            back=local_short(datetime.fromisoformat(glass["back_at"])) if glass["back_at"] else "", at=at,
        )  # fmt: skip
