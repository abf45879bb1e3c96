"""What became of the messages of a city or an office: by channel and end, what it cost, how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app.domain.delivery import State
from app.models.delivery import Delivery

# A message that is due and has not come to its end for this long is an alarm (quality.md, P9).
ALARM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One channel. ``half`` and ``most`` (95 %) in seconds from due to taken by the provider; None: nothing was."""

    channel: str
    states: dict[str, int]
    yen: int
    half: float | None
    most: float | None

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``oldest``: how long the oldest message that is due waits for its end, zero when none does."""

    lines: Sequence[Line]
    reasons: Sequence[tuple[str, str, int]]
    unknown: Sequence[Delivery]
    oldest: timedelta
    by_occasion: dict[str, int]

    @property
    def alarm(self) -> bool:
        return self.oldest > ALARM


def _within(offices: Sequence[str], since: datetime) -> ColumnElement[bool]:
    return and_(Delivery.office_id.in_(offices), Delivery.created_at >= since)


def report(session: Session, offices: Sequence[str], *, since: datetime, at: datetime) -> Report:
    """The messages of these offices that were put into the outbox since an instant."""
    within = _within(offices, since)
    counts = session.execute(
        select(
            Delivery.channel, Delivery.state, func.count().label("messages"), func.sum(Delivery.cost_yen).label("yen")
        )
        .where(within)
        .group_by(Delivery.channel, Delivery.state)
    ).all()
    taken = session.execute(
        select(Delivery.channel, Delivery.due_at, Delivery.sent_at).where(within, Delivery.sent_at.is_not(None))
    ).all()
    reasons = session.execute(
        select(Delivery.state, Delivery.reason, func.count())
        .where(within, Delivery.state.in_((State.FAILED, State.UNKNOWN)))
        .group_by(Delivery.state, Delivery.reason)
        .order_by(func.count().desc())
    ).all()
    unknown = session.scalars(
        select(Delivery).where(within, Delivery.state == State.UNKNOWN).order_by(Delivery.id.desc()).limit(20)
    ).all()
    occasions = session.execute(
        select(Delivery.occasion, func.count().label("messages")).where(within).group_by(Delivery.occasion)
    ).all()
    return Report(
        lines=[_line(channel, counts, taken) for channel in sorted({row[0] for row in counts})],
        reasons=[(state, reason, count) for state, reason, count in reasons], unknown=unknown,
        oldest=oldest(session, at=at, offices=offices), by_occasion={row.occasion: row.messages for row in occasions},
    )  # fmt: skip


def _line(channel: str, counts: Sequence[Any], taken: Sequence[Any]) -> Line:
    own = [row for row in counts if row.channel == channel]
    waits = sorted((row.sent_at - row.due_at).total_seconds() for row in taken if row.channel == channel)
    return Line(
        channel=channel, states={row.state: row.messages for row in own}, yen=sum(row.yen or 0 for row in own),
        half=waits[len(waits) // 2] if waits else None,
        most=waits[min(len(waits) - 1, int(len(waits) * 0.95))] if waits else None,
    )  # fmt: skip


def oldest(session: Session, *, at: datetime, offices: Sequence[str] | None = None) -> timedelta:
    """How long the oldest message that is due has been queued or in doubt; zero when there is none."""
    query = select(func.min(Delivery.due_at)).where(
        Delivery.state.in_((State.QUEUED, State.CLAIMED)), Delivery.due_at <= at
    )
    found = session.scalar(query if offices is None else query.where(Delivery.office_id.in_(offices)))
    return at - found if found is not None else timedelta()


def open_counts(session: Session) -> dict[str, int]:
    """Messages by state, all of them: a figure for the operator."""
    rows = session.execute(select(Delivery.state, func.count().label("messages")).group_by(Delivery.state))
    return {row.state: row.messages for row in rows}
