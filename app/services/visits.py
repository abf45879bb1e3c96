"""What is to be booked: procedures in their lines, with the rules of each as the catalogue has them now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from app.db.ready import Ready
from app.domain.booking import MOST_SERVICES, Asked, Asks
from app.domain.errors import InvalidInput, NotFound
from app.domain.slots import Block, Limits, LineRules, Part, ServiceRules, blocks
from app.models.place import Category, Offering, Office, Service


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visit:
    """Procedures in their lines: ``parts`` are booked, ``along`` need no booking and follow on the same number.

    ``graces``: minutes; ``bookable``: whether the caller may book it. No visit is booked without a part.
    ``withdrawn``: some of it was booked once and is offered no more, or its line can be booked no more. Equal only to
    itself: as long as the catalogue stands the same visit is the same object, and what hangs on it is kept by it.
    """

    office_id: str
    municipality_id: str
    services: tuple[str, ...]
    parts: tuple[Part, ...]
    blocks: tuple[Block, ...]
    rules: Mapping[str, LineRules]
    limits: Limits
    graces: Mapping[str, float]
    asks: Asks
    along: tuple[Part, ...] = ()
    bookable: bool = True
    withdrawn: bool = False

    @property
    def lines(self) -> list[str]:
        """The lines (categories) of the visit, each once."""
        return list(dict.fromkeys(part.line for part in self.parts))


# Columns of the tables, not rows of the model, and JSON as text: every hold asks this, and what has not changed
# since the last one is not read again (_read).
_C, _S, _O = Category.__table__.c, Service.__table__.c, Offering.__table__.c
_ACTIVE, _ID, _MUNICIPALITY = 0, 4, 8
_WANTED = Ready(
    select(
        _O.active, _C.id.label("line"), cast(_C.booking, Text).label("booking"), cast(_C.policy, Text).label("policy"),
        _S.id, _S.bookable, cast(_S.minutes, Text).label("minutes"), cast(_S.details, Text).label("details"),
        Office.__table__.c.municipality_id, _C.booking_only,
    )
    .select_from(
        Offering.__table__.join(Category.__table__, _C.id == _O.category_id)
        .join(Service.__table__, _S.id == _O.service_id)
        .join(Office.__table__, Office.__table__.c.id == _O.office_id)
    )
    .where(_O.office_id == bindparam("office"), _O.service_id.in_(bindparam("services", expanding=True))),
    "services",
)  # fmt: skip


def visit(
    session: Session, *, office_id: str, services: Sequence[str], staff: bool = False, bookable_only: bool = True,
    along: frozenset[str] | None = None,
) -> Visit:  # fmt: skip
    """The procedures as parts of one visit, in the order asked for; staff book whatever a line can be booked for.

    What needs no booking rides along; ``along`` names it for a visit that is booked already, which may hold what is
    offered no more. Raises InvalidInput("bad_services"), NotFound for what is not offered here,
    InvalidInput("not_bookable") where nothing is left to book, unless not ``bookable_only``; then the visit says so.
    """
    if not 1 <= len(services) <= MOST_SERVICES or len(set(services)) != len(services):
        raise InvalidInput("bad_services")
    session.flush()
    rows = _WANTED.rows(session.connection(), {"office": office_id, "services": list(services)})
    found = {row[_ID]: row for row in rows if row[_ACTIVE] or along is not None}
    if len(found) != len(services):
        raise NotFound(what="service")
    asked = _read(office_id, tuple(found[name] for name in services), staff, along)
    if bookable_only and not asked.bookable:
        raise InvalidInput("not_bookable")
    return asked


@lru_cache(maxsize=512)
def _read(office_id: str, rows: tuple[tuple[Any, ...], ...], staff: bool, along: frozenset[str] | None) -> Visit:
    """The visit of some rows of ``_WANTED``. Keyed by all they hold, so any number of databases share it safely."""
    parts, beside, rules, service_rules, asks, graces = [], [], {}, [], [], {}
    bookable = True
    for _, line, booking, policy, service, may_book, minutes, details, _, booking_only in rows:
        stored, told = json.loads(booking), json.loads(details)
        part = Part(service=service, line=line, minutes=int(json.loads(minutes).get("accept") or 0) or 1)
        if service in along if along is not None else not (stored and (may_book or staff)):
            # Nobody is given a number of such a line without a booking of it.
            bookable = bookable and (staff or not booking_only)
            beside.append(part)
            continue
        if stored:
            rules[line] = LineRules.read(stored)
        bookable = bookable and bool(stored)
        graces[line] = float(json.loads(policy).get("late_grace", 5))
        parts.append(part)
        service_rules.append(_rules_of(told))
        asks.append(_asks_of(told))
    withdrawn = not (bookable and parts and all(row[_ACTIVE] for row in rows))
    return Visit(
        office_id=office_id, municipality_id=rows[0][_MUNICIPALITY], services=tuple(row[_ID] for row in rows),
        bookable=bookable and bool(parts), withdrawn=withdrawn, rules=rules, parts=tuple(parts), along=tuple(beside),
        blocks=blocks(parts, rules) if all(part.line in rules for part in parts) else (),
        limits=Limits.of(rules.values(), service_rules), graces=graces, asks=Asks.of(asks),
    )  # fmt: skip


def _rules_of(details: Mapping[str, Any]) -> ServiceRules:
    stored: Mapping[str, Any] = details.get("booking_rules") or {}
    cut_off = stored.get("cut_off")
    return ServiceRules(
        lead_days=int(details.get("lead_days") or 0), window_days=stored.get("window_days"),
        cut_off=time.fromisoformat(cut_off) if cut_off else None,
    )  # fmt: skip


def _asks_of(details: Mapping[str, Any]) -> Asks:
    stored: Mapping[str, Any] = details.get("booking_rules") or {}
    return Asks(name=Asked(stored.get("name", Asked.MAY)), contact=Asked(stored.get("contact", Asked.MAY)))


__all__ = ["Visit", "visit"]
