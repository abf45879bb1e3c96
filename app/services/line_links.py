"""LINE and a ticket: its page shows a word, whoever sends that word to the city's account is told from then on."""

import base64
import hashlib
import hmac
import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain.delivery import Channel
from app.models.delivery import NoticeWish
from app.models.place import Office
from app.services import contacts

GOOD_FOR = timedelta(minutes=30)
_LETTERS = 8


def word(secret: bytes, ticket_id: int) -> str:
    """Eight letters and digits, derived; 40 bits for half an hour, asked only through LINE."""
    digest = hmac.digest(secret, f"line:{ticket_id}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode()[:_LETTERS]


def link(session: Session, *, sealer: Sealer, secret: bytes, text: str, user: str, at: datetime) -> bool:
    """Join a LINE user to the ticket whose word the text is; False when it is none."""
    said = unicodedata.normalize("NFKC", text[:100]).strip().replace(" ", "").upper()
    if len(said) != _LETTERS or not said.isascii():
        return False
    waiting = session.scalars(
        select(NoticeWish)
        .where(NoticeWish.channel == Channel.LINE, ~NoticeWish.active, NoticeWish.created_at > at - GOOD_FOR)
        .with_for_update()
    ).all()
    found = next((each for each in waiting if hmac.compare_digest(word(secret, each.ticket_id), said)), None)
    if found is None:
        return False
    office = session.get_one(Office, found.office_id)
    kept = contacts.keep(
        session, sealer=sealer, municipality_id=office.municipality_id, channel=Channel.LINE, value=user, at=at,
        erase_at=contacts.after_visit(at),
    )  # fmt: skip
    kept.verified_at, found.contact_id, found.active = at, kept.id, True
    return True
