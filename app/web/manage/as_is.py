"""A line's day with the counters as they are planned now: reckoned at once, and played with the real call policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.services.roster_days import DayRoster, Made
from app.web import played
from app.web.day_plan import LinePlan, minute_of_day
from app.web.manage.week_view import staffed
from forecasting import erlang
from forecasting.hall import Outcome
from forecasting.staffing import Target

# Two answers that lie further apart want a reason.
_APART = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class AsIs:
    """``reckoned``: the share of those expected who are called within the target, by Erlang C; ``outcome``: played.

    ``missing``: counters of half-hours that lack, between the minutes from midnight ``since`` and ``until`` (0: none).
    ``made``: as DayRoster, None where no people are on record and the usual counters count as there.
    """

    reckoned: float
    outcome: Outcome
    missing: int
    since: int
    until: int
    made: Made | None

    @property
    def apart(self) -> bool:
        return abs(self.reckoned - self.outcome.within) > _APART


def as_is(
    plans: Sequence[LinePlan], plan: LinePlan, kept: DayRoster | None, policies: Mapping[str, Mapping[str, Any]],
    target: Target,
) -> AsIs:  # fmt: skip
    """What becomes of one line; plays those it shares counters with, so it is for ``off_loop``."""
    has = staffed(plans, kept)
    counters = played.counters_of(plan, has[plan.category_id])
    outcome = played.office(plans, has, policies=policies, wanted=[plan.category_id])[plan.category_id]
    lacks = {
        minute_of_day(start): need.counters - number
        for start, need, number in zip(plan.starts, plan.needs, counters, strict=True)
        if number < need.counters and (kept is None or minute_of_day(start) in kept.plan.starts)
    }
    return AsIs(
        reckoned=_reckoned(plan, counters, target), outcome=outcome, missing=sum(lacks.values()),
        since=min(lacks, default=0), until=max(lacks, default=-30) + 30, made=kept.made if kept else None,
    )  # fmt: skip


def _reckoned(plan: LinePlan, counters: Sequence[int], target: Target) -> float:
    shares = [
        erlang.within(number, need.load, service_min=plan.facts.service_min, target_min=target.minutes)
        if need.load
        else 1.0
        for need, number in zip(plan.needs, counters, strict=True)
    ]
    if not plan.people:
        return 1.0
    told = zip(plan.expected, shares, strict=True)
    return sum(each.expected * share for each, share in told) / plan.people
