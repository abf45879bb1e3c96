"""What a restored copy holds back until an operator says that it is the one that acts: its messages, its money.

Written by a restore (app/db/restore.py) as rows of the budgets, which every process reads, and which no sweep of
old counts takes away within a lifetime.
"""

from sqlalchemy.orm import Session

from app.models.delivery import Budget

MESSAGES, MONEY = "hold:messages", "hold:money"


def held(session: Session, what: str) -> bool:
    """Whether MESSAGES or MONEY may not leave this copy."""
    return session.get(Budget, what) is not None


def release(session: Session, what: str) -> bool:
    """Let them leave again; False when they were not held back."""
    found = session.get(Budget, what)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None
