"""The kiosk editor: order, words in every language, times and colours of the buttons, with the screen beside them.

Every field is saved into the draft at once; nothing reaches a kiosk before it is published (drafts.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import kiosk as rules
from app.domain.calendar import business_date, instant
from app.domain.drafts import Content, Value
from app.domain.errors import NotFound
from app.domain.kiosk import Purpose
from app.domain.roles import Function
from app.models.place import Category, Municipality, Office
from app.services import board, kiosk_layout, publications
from app.services.access import Principal
from app.services.kiosk_layout import Choice
from app.services.publications import Draft, Kind
from app.web import security
from app.web.admin import kiosk_words, typed
from app.web.admin.frame import act, blueprint, office_within, page
from app.web.errors import sentence
from app.web.locale import LANGUAGES


def languages_of(session: Session, office: Office) -> dict[str, str]:
    """The languages of the municipality with their own names, in the order of the menu."""
    spoken = session.get_one(Municipality, office.municipality_id).settings["languages"]
    return {code: name for code, name in typed.WORD_LANGUAGES.items() if code in spoken}


def categories_of(session: Session, office_id: str) -> dict[str, Category]:
    """The office's lines of people by id, in their order."""
    rows = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position))
    return {row.id: row for row in rows}


@blueprint.get("/kiosk/<office>", endpoint="kiosk")
@security.policy(Function.EDIT_PLACE)
def show(office: str) -> Response:
    """The list, the chosen button's fields, and the screen as it would be."""
    at = security.now()
    with security.database().snapshot() as session:
        place = office_within(session, Function.EDIT_PLACE, office)
        draft, languages = kiosk_layout.draft(session, office), languages_of(session, place)
        screen = rules.layout(draft.content)
        chosen = _chosen(screen.purposes, request.args.get("purpose"))
        preview = request.args.get("words", "ja")
        return page(
            session, "kiosk", area="kiosk", office=place, draft=draft, screen=screen, chosen=chosen,
            categories=categories_of(session, office), languages=languages, short=typed.SHORT,
            colours=kiosk_words.COLOURS, limit_of=rules.limit_of, shown=rules.shown, changed=_changed(draft),
            faults=_by_key(kiosk_layout.faults(session, office, draft.content)),
            version=publications.current(session, office, Kind.KIOSK),
            groups=_preview(session, place, draft.content, at), preview=preview if preview in languages else "ja",
            clock=_asked_clock(), lines={line["id"]: line for line in _lines(session, office, at)},
            rows=kiosk_words.changes(session, place, draft.changes),
            content_of=lambda name: draft.content.get(f"purpose.{chosen.id}.{name}", ""),
            said_of=lambda fault: sentence(fault.code, dict(fault.values)),
        )  # fmt: skip


def _lines(session: Session, office: str, at: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.read(session, office_id=office, at=at)["categories"]
    return found


def _chosen(purposes: Sequence[Purpose], asked: str | None) -> Purpose:
    found = next((each for each in purposes if each.id == asked), None)
    if found is None and asked is not None:
        raise NotFound(what="purpose")
    return found or purposes[0]


def _asked_clock() -> str:
    return typed.clock(request.args.get("clock", ""))


def _preview(session: Session, office: Office, content: Content, at: datetime) -> list[list[Choice]]:
    """The buttons by line, as the kiosk groups them, at the asked time of today.

    Without a time it is now; in training mode everything is open then, as at the kiosk.
    """
    asked, lines = typed.time_of(_asked_clock()), dict[str, list[Choice]]()
    if asked is not None:
        at = instant(business_date(at), asked)
    for choice in kiosk_layout.choices(session, office.id, at=at, content=content):
        always = asked is None and office.training
        lines.setdefault(choice.category.id, []).append(replace(choice, open=True) if always else choice)
    return list(lines.values())


def _changed(draft: Draft) -> set[str]:
    """The purposes the draft changes."""
    return {change.key.split(".")[1] for change in draft.changes if change.key.startswith("purpose.")}


def _by_key(found: Sequence[Any]) -> dict[str, list[Any]]:
    kept: dict[str, list[Any]] = {}
    for fault in found:
        kept.setdefault(fault.key, []).append(fault)
    return kept


def _back(office: str, purpose: str, **more: Any) -> Any:
    kept: dict[str, Any] = {name: request.form[name] for name in ("words", "clock") if request.form.get(name)}
    return redirect(url_for("admin.kiosk", office=office, purpose=purpose, **(kept | more)), 303)


def _wanted(purpose: Purpose, languages: Mapping[str, str]) -> dict[str, Value]:
    """The fields that were sent, as keys of the content; whatever else was sent is not read."""
    at, found = f"purpose.{purpose.id}", dict[str, Value]()
    for name in ("title", "line"):
        for code in languages:
            if f"{name}.{code}" in request.form:
                found[f"{at}.{name}.{code}"] = typed.words(request.form[f"{name}.{code}"]) or None
    for name in ("opens", "closes"):
        if name in request.form:
            found[f"{at}.{name}"] = typed.clock(request.form[name]) or None
    if request.form.get("colour"):
        found[f"colour.{purpose.category}"] = request.form["colour"][:20]
    return found


@blueprint.post("/kiosk/<office>/button/<purpose>")
@security.policy(Function.EDIT_PLACE)
def kiosk_edit(office: str, purpose: str) -> Any:
    """Save the button's fields into the draft; what is wrong with them is said beside them."""

    def work(session: Session, who: Principal, at: datetime) -> None:
        place = office_within(session, Function.EDIT_PLACE, office)
        content = kiosk_layout.draft(session, office).content
        chosen = _chosen(rules.layout(content).purposes, purpose)
        for key, value in _wanted(chosen, languages_of(session, place)).items():
            if content.get(key) != value:
                kiosk_layout.edit(session, office_id=office, key=key, value=value, actor=who.actor, at=at)

    act(work)
    if request.form.get("then") == "publish":
        return redirect(url_for("admin.ask_publish", kind="kiosk", office=office), 303)
    return _back(office, purpose, done="kept")


@blueprint.post("/kiosk/<office>/button/<purpose>/move")
@security.policy(Function.EDIT_PLACE)
def kiosk_move(office: str, purpose: str) -> Any:
    """One place up or down."""
    step = 1 if request.form.get("to") == "down" else -1

    def work(session: Session, who: Principal, at: datetime) -> None:
        office_within(session, Function.EDIT_PLACE, office)
        order = [each.id for each in rules.layout(kiosk_layout.draft(session, office).content).purposes]
        if purpose not in order:
            raise NotFound(what="purpose")
        to = max(0, order.index(purpose) + step)
        kiosk_layout.move(session, office_id=office, purpose_id=purpose, position=to, actor=who.actor, at=at)

    act(work)
    return _back(office, purpose, focus="down" if step > 0 else "up")


@blueprint.post("/kiosk/<office>/button/<purpose>/show")
@security.policy(Function.EDIT_PLACE)
def kiosk_show(office: str, purpose: str) -> Any:
    """Show the button, or hide it."""
    shown = request.form.get("shown") == "yes"

    def work(session: Session, who: Principal, at: datetime) -> None:
        office_within(session, Function.EDIT_PLACE, office)
        kiosk_layout.show(session, office_id=office, purpose_id=purpose, shown=shown, actor=who.actor, at=at)

    act(work)
    return _back(office, purpose, focus="show")


@blueprint.app_template_filter("in_words")
def in_words(names: Mapping[str, Any], code: str) -> str:
    """The words of one language, Japanese where it lacks them: what a kiosk would show."""
    return str(names.get(code) or names.get("ja") or "")


def language_code(own: str) -> str:
    """The language's code in pages (``ja-Hira``) by its catalogue's name (``ja_Hira``)."""
    return next(code for code, (name, _) in LANGUAGES.items() if name == own)


@blueprint.app_template_filter("lang")
def lang(own: str) -> str:
    """The value of a lang attribute."""
    return "ja" if own == "ja_Hira" else language_code(own)
