"""Limits counted in the database, so that all processes see one count: what cannot be counted is not spent."""

from datetime import datetime

from sqlalchemy import Insert, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.db.base import Base
from app.models.delivery import Budget

_UNSEEN = {"synchronize_session": False}


def insert_unless_known(session: Session, model: type[Base]) -> Insert:
    """An INSERT that does nothing where a unique key is taken; ``rowcount`` tells."""
    made = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return made(model).on_conflict_do_nothing()


def use(session: Session, key: str, amount: int, *, most: int, until: datetime) -> bool:
    """Use ``amount`` of a limit if it fits; False, and nothing used, when it does not.

    The row stays locked until the transaction ends, so that what follows for the same key comes one by one.
    """
    session.execute(insert_unless_known(session, Budget).values(key=key, used=0, until=until))
    result = session.execute(
        update(Budget)
        .where(Budget.key == key, Budget.used + amount <= most)
        .values(used=Budget.used + amount)
        .execution_options(**_UNSEEN)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def give_back(session: Session, key: str, amount: int) -> None:
    """What was used for a try that surely never left."""
    session.execute(
        update(Budget)
        .where(Budget.key == key, Budget.used >= amount)
        .values(used=Budget.used - amount)
        .execution_options(**_UNSEEN)
    )


def used(session: Session, *keys: str) -> dict[str, int]:
    """What has been used of some limits; nothing is locked, so a count may be old by the time it is read."""
    rows = session.execute(select(Budget.key, Budget.used).where(Budget.key.in_(keys)))
    return dict.fromkeys(keys, 0) | {row.key: row.used for row in rows}


def forget_old(session: Session, *, at: datetime) -> int:
    """Erase the counts of periods that are over; returns how many."""
    result = session.execute(delete(Budget).where(Budget.until < at))
    return result.rowcount if isinstance(result, CursorResult) else 0
