"""What a city says at an occasion in a language: its own text, else ours; and a text changed by hand."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.delivery import Occasion, Text
from app.domain.errors import Conflict, InvalidInput
from app.domain.message_text import LANGUAGES, Fault, faults
from app.models.delivery import MessageTemplate
from config import message_texts


def ours(occasion: Occasion, language: str) -> Text:
    """The text that comes with the program; a language that is not known is answered in Japanese."""
    words = message_texts.load()[occasion]
    found = words.get(language) or words["ja"]
    return Text(short=found.short, subject=found.subject, long=found.long)


def text(session: Session, municipality_id: str, occasion: Occasion, language: str) -> Text:
    """The text in force."""
    own = session.get(MessageTemplate, (municipality_id, occasion, language))
    return Text(short=own.short, subject=own.subject, long=own.long) if own else ours(occasion, language)


def all_of(session: Session, municipality_id: str, occasion: Occasion) -> dict[str, tuple[Text, int]]:
    """The texts of an occasion by language, each with its version (0: ours)."""
    rows = session.scalars(
        select(MessageTemplate).where(
            MessageTemplate.municipality_id == municipality_id, MessageTemplate.occasion == occasion
        )
    )
    own = {row.language: row for row in rows}
    return {
        code: (Text(short=own[code].short, subject=own[code].subject, long=own[code].long), own[code].version)
        if code in own
        else (ours(occasion, code), 0)
        for code in LANGUAGES
    }


def change(
    session: Session, *, municipality_id: str, occasion: Occasion, language: str, new: Text, version: int, actor: str,
    at: datetime,
) -> list[Fault]:  # fmt: skip
    """Put a text in force; the faults when it cannot be, and then nothing changes.

    ``version``: what the editor had before them; Conflict("changed_meanwhile") when another one came between.
    """
    if language not in LANGUAGES:
        raise InvalidInput(fields=["language"])
    found = faults(occasion, new)
    if found:
        return found
    key: dict[str, Any] = {"municipality_id": municipality_id, "occasion": occasion, "language": language}
    own = session.get(MessageTemplate, tuple(key.values()), with_for_update=True)
    if (own.version if own else 0) != version:
        raise Conflict("changed_meanwhile")
    if own is None:
        own = MessageTemplate(**key, version=0)
        session.add(own)
    own.short, own.subject, own.long = new.short, new.subject, new.long
    own.version, own.changed_at, own.changed_by = own.version + 1, at, actor
    return []
