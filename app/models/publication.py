"""What staff edit as a draft and publish: the kiosk's first screen and the opening hours.

Content is a flat mapping (app/domain/drafts.py), so that each change stands alone and is taken back singly.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Pk


class Publication(Base):
    """One published version of an office's kiosk or hours; the highest version is in force, the rest history.

    ``changes``: ``[{"key", "before", "after"}, …]`` against the version before.
    """

    __tablename__ = "publication"
    __table_args__ = (
        UniqueConstraint("office_id", "kind", "version"),
        CheckConstraint("kind IN ('kiosk', 'hours')", name="kind"),
    )
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    kind: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    changes: Mapped[list[Any]] = mapped_column(default=list)
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class DraftEdit(Base):
    """One change of the draft of an office's kiosk or hours. ``value`` is ``{"after": …}``; null removes the key."""

    __tablename__ = "draft_edit"
    __table_args__ = (CheckConstraint("kind IN ('kiosk', 'hours')", name="kind"),)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    edited_at: Mapped[datetime]
    edited_by: Mapped[str]


class CatalogueItem(Base):
    """A part of the municipality's catalogue that is read as a whole and never joined.

    ``kind``: ``question``, ``life_event``, ``phrase``, ``holiday`` or ``source``; ``body`` as in the files.
    """

    __tablename__ = "catalogue_item"
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    body: Mapped[dict[str, Any]]
