"""What messages say, with a preview and what they cost; and what became of those that were sent."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import Response, current_app, redirect, request, url_for
from sqlalchemy.orm import Session

from app.domain import message_text
from app.domain.delivery import Limits, Occasion, Text
from app.domain.errors import Conflict, DomainError, InvalidInput
from app.domain.message_text import LANGUAGES, Fault
from app.domain.roles import Function
from app.models.place import Municipality, Office
from app.services import message_texts, messages_report
from app.services.access import Principal
from app.services.outbox import name_in
from app.web import notify, security
from app.web.admin.frame import act, blueprint, offices_within, page, told
from app.web.admin.message_words import CHANNELS, FAULTS, OCCASIONS, REASONS, STATES, WHEN
from app.web.locale import LANGUAGES as NAMES

_DAYS = 7


def _chosen() -> tuple[Occasion, str]:
    """The occasion and language of the address or form; the first of each for anything else."""
    given, language = request.values.get("occasion", ""), request.values.get("language", "")
    occasion = Occasion(given) if given in [str(each) for each in Occasion] else Occasion.SOON
    return occasion, language if language in LANGUAGES else "ja"


def _typed() -> Text:
    """The form's text, its line ends as we keep them."""
    fields = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in ("short", "subject", "long")}
    return Text(short=fields["short"], subject=fields["subject"], long=fields["long"])


@blueprint.get("/messages")
@security.policy(Function.EDIT_PLACE)
def messages() -> Response:
    """One text to edit, its length in every language, and the figures of the last week."""
    occasion, language = _chosen()
    with security.database().snapshot() as session:
        return _shown(session, occasion, language)


@blueprint.post("/messages")
@security.policy(Function.EDIT_PLACE)
def change_message() -> Any:
    """Put a text in force, or look at it first; ``act`` is ``save``, ``preview`` or ``ours``."""
    occasion, language = _chosen()
    what, new = request.form.get("act", "save"), _typed()
    if what == "ours":
        new = message_texts.ours(occasion, language)
    if what == "preview":
        with security.database().snapshot() as session:
            return _shown(session, occasion, language, typed=new, faults=message_text.faults(occasion, new))

    def work(session: Session, who: Principal, at: datetime) -> list[Fault]:
        before = message_texts.text(session, who.municipality_id, occasion, language)
        found = message_texts.change(
            session, municipality_id=who.municipality_id, occasion=occasion, language=language, new=new,
            version=request.form.get("version", type=int) or 0, actor=who.actor, at=at,
        )  # fmt: skip
        if not found:
            details = {"before": {"short": before.short}, "after": {"short": new.short}, "language": language}
            told(session, who, "message_changed", f"message:{occasion}", details, at)
        return found

    try:
        faults = act(work)
    except Conflict as error:
        with security.database().snapshot() as session:
            return _shown(session, occasion, language, typed=new, error=error)
    if faults:
        with security.database().snapshot() as session:
            return _shown(session, occasion, language, typed=new, faults=faults, error=InvalidInput())
    return redirect(url_for("admin.messages", occasion=occasion, language=language, done="published"), 303)


def _shown(
    session: Session, occasion: Occasion, language: str, *, typed: Text | None = None,
    faults: list[Fault] | None = None, error: DomainError | None = None,
) -> Response:  # fmt: skip
    who, at = security.caller(), security.now()
    offices = offices_within(session, who)
    texts = message_texts.all_of(session, who.municipality_id, occasion)
    text, version = texts[language]
    city = session.get_one(Municipality, who.municipality_id)
    values = {code: _values(city, offices[0], code) for code in LANGUAGES}
    longest = {code: _values(city, offices[0], code, longest=True) for code in LANGUAGES}
    now = typed or text
    found = messages_report.report(session, [each.id for each in offices], since=at - timedelta(days=_DAYS), at=at)
    return page(
        session, "messages", area="messages", error=error, occasion=occasion, tongue=language, text=now,
        version=version, faults=faults or [], fault_words=FAULTS, occasions=OCCASIONS, names=NAMES,
        places=sorted(message_text.PLACES[occasion]), values=values[language],
        preview=message_text.filled(now, values[language]),
        lengths={code: message_text.length(replace(each), values[code]) for code, (each, _) in texts.items()},
        length=message_text.length(now, values[language]), most=message_text.length(now, longest[language]),
        when=WHEN, sent_before=found.by_occasion.get(occasion, 0),
        on=[CHANNELS[each] for each in notify.ways().channels],
        report=found, states=STATES, channels=CHANNELS, reasons=REASONS, days=_DAYS,
        yen=Limits.of(offices[0].settings), off=notify.ways().off,
    )  # fmt: skip


def _values(city: Municipality, office: Office, language: str, *, longest: bool = False) -> dict[str, str]:
    return message_text.sample(
        city=name_in(city.name, language), office=name_in(office.name, language),
        link=f"{current_app.config['ADDRESS']}/s/k3v9x2m7qa", language=language, longest=longest,
    )  # fmt: skip
