"""Feedback of one tap: kept once a visit and never with its number, counted for managers beside the waits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import Conflict
from app.domain.feedback import KEYS, OPEN_FOR, Said, Topic, Verdict, counts
from app.domain.refs import feedback_key
from app.domain.report import Row
from app.domain.ticket import State, status
from app.models.feedback import Feedback
from app.models.ticket import Step, Ticket
from app.services import lines
from app.services.budgets import insert_unless_known


def given(session: Session, token: str) -> Feedback | None:
    """What has been said of the visit of a link."""
    return session.get(Feedback, feedback_key(token))


def _visit(session: Session, ticket: Ticket, *, at: datetime) -> Step | None:
    """The first service of a visit that has ended and is still asked about."""
    steps = lines.steps_of(session, ticket.id)
    ended = status(State(each.state) for each in steps) == State.DONE
    if not ended or business_date(at) - ticket.business_date > OPEN_FOR:
        return None
    return next(each for each in steps if each.state == State.DONE)


def asked(session: Session, ticket: Ticket, *, at: datetime) -> bool:
    """Whether the page of a number asks how it was."""
    return _visit(session, ticket, at=at) is not None


def give(
    session: Session, ticket: Ticket, *, token: str, verdict: Verdict | None = None, topic: Topic | None = None,
    at: datetime,
) -> None:  # fmt: skip
    """Keep the answer, in the place of an earlier one; a topic alone is added to what was said.

    ``token`` is the ticket's. Raises Conflict("feedback_not_now") before the visit has ended, when it is long over,
    and for a topic of nothing.
    """
    step = _visit(session, ticket, at=at)
    if step is None:
        raise Conflict("feedback_not_now")
    key = feedback_key(token)
    if verdict is not None:
        # Two taps at once are one answer: whoever comes second finds the first one's row.
        session.execute(
            insert_unless_known(session, Feedback).values(
                key=key, office_id=ticket.office_id, business_date=ticket.business_date, category_id=step.category_id,
                service_id=step.service_id, verdict=verdict, topic=topic,
            )
        )  # fmt: skip
    kept = session.get(Feedback, key, with_for_update=True, populate_existing=True)
    if kept is None:
        raise Conflict("feedback_not_now")
    if verdict is not None and verdict != kept.verdict:
        kept.verdict, kept.topic = verdict, topic
    elif topic is not None:
        kept.topic = topic
    session.flush()


def said(session: Session, office_id: str, since: date, until: date) -> list[Said]:
    """Everything that was said of a span of days, both included."""
    what = (Feedback.business_date, Feedback.category_id, Feedback.service_id, Feedback.verdict, Feedback.topic)
    rows = session.execute(
        select(*what, func.count())
        .where(Feedback.office_id == office_id, Feedback.business_date.between(since, until))
        .group_by(*what)
        .order_by(*what)
    )
    return [
        Said(day=day, category=line, service=service, verdict=Verdict(verdict),
             topic=Topic(topic) if topic else None, count=count)
        for day, line, service, verdict, topic, count in rows
    ]  # fmt: skip


def beside(name: str, rows: Iterable[Row], found: Sequence[Said]) -> list[Row]:
    """The rows of a report with what was said of each; as they are where a report goes by what answers do not know."""
    if name not in KEYS:
        return list(rows)
    by_key = counts(found, KEYS[name])
    return [_with(row, by_key.get(row.key, {})) for row in rows]


def together(row: Row, found: Iterable[Said]) -> Row:
    """The figures of everything together with all that was said."""
    return _with(row, counts(found, lambda _: "").get("", {}))


def _with(row: Row, told: Mapping[Verdict, int]) -> Row:
    return replace(row, good=told.get(Verdict.GOOD, 0), fair=told.get(Verdict.FAIR, 0), bad=told.get(Verdict.BAD, 0))
