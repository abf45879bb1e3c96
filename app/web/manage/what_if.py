"""What if: more people, a counter closed, somebody ill, another call policy, side by side with today's setting.

Every column is played with the real call policy on the same days, so that what differs is the setting alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request
from markupsafe import Markup

from app.domain import roster
from app.domain.errors import InvalidInput, NotFound
from app.domain.roles import Function
from app.services.forecasts import INTERVAL_MIN
from app.web import off_loop, played, security
from app.web.day_plan import LinePlan, minute_of_day
from app.web.locale import t
from app.web.manage.frame import blueprint, chosen, day_asked, offices
from app.web.manage.roster_seen import Seen, seen
from app.web.played import Staffed
from forecasting import staffing
from forecasting.hall import Outcome

# A change of a mean wait below this is chance, not the setting.
_NOTICED_MIN = 1.0
_TALL, _STEP = 84, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One setting. ``dials``: what differs in the chosen line's call policy."""

    key: str
    title: Markup
    note: Markup
    staffed: Staffed
    volume: float = 1.0
    dials: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Needed and staffed counters of a day, as points."""

    need: str
    staffed: str
    missing: Sequence[tuple[float, float, float, float]]
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A setting and what comes of it. ``high``: the share within the target on a busy day (the forecast's P80).

    ``others``: lines that wait noticeably longer or shorter than today, with the means.
    """

    scenario: Scenario
    outcome: Outcome
    high: float
    missing: int
    hours: float
    others: Sequence[tuple[str, float, float]]
    picture: Picture


def _number(name: str, usual: int, most: int) -> int:
    """A whole number of the address. Raises InvalidInput ``bad_range``."""
    text = request.args.get(name, "")
    if not text:
        return usual
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) > most:
        raise InvalidInput("bad_range", most=most)
    return int(text)


@blueprint.get("/what-if", endpoint="what_if")
@security.policy(Function.PLAN_STAFF)
def show() -> str:
    """``?date=…&line=…&volume=20&person=12&allowance=60``: five settings of a day for one line."""
    at = security.now()
    volume, allowance = _number("volume", 20, 200), _number("allowance", 60, 240)
    with security.database().snapshot() as session:
        office = chosen(session, Function.PLAN_STAFF)
        look = seen(session, office, day_asked(session, office, at), at)
        reach = offices(session)
    plan = _line(look)
    columns: Sequence[Column] = ()
    person = _person(look, plan) if plan else None
    if plan is not None:
        found = scenarios(look, plan, volume=volume, person=person, allowance=allowance)
        columns = off_loop.run(compare, look, plan, found)
    return render_template(
        "manage/what_if.html", look=look, office=office, day=look.day, plan=plan, columns=columns, reach=reach,
        volume=volume, allowance=allowance, person=person, target=staffing.Target(), days=played.DAYS,
        ticks=ticks(plan) if plan else [],
    )  # fmt: skip


def _line(look: Seen) -> LinePlan | None:
    wanted = request.args.get("line")
    found = next((plan for plan in look.plans if plan.category_id == wanted), None)
    if wanted and found is None:
        raise NotFound(what="category")
    mine = [plan for plan in look.plans if look.lines[plan.category_id].section == security.caller().section]
    return found or max(mine or look.plans, key=lambda plan: plan.people * plan.facts.service_min, default=None)


def _person(look: Seen, plan: LinePlan) -> str | None:
    """Whoever is asked for; without one the person who serves the line longest."""
    wanted = request.args.get("person")
    if wanted:
        if wanted not in look.sheet.members:
            raise NotFound(what="member")
        return wanted
    serves = {who: sum(cell == plan.category_id for cell in cells) for who, cells in look.sheet.shifts.items()}
    return max(serves, key=lambda who: serves[who], default=None)


def scenarios(look: Seen, plan: LinePlan, *, volume: int, person: str | None, allowance: int) -> list[Scenario]:
    """Today's setting and what is compared with it."""
    now, line = _staffed(look), plan.category_id
    fewer = {start: max(number - 1, 0) for start, number in now[line].items()}
    found = [
        Scenario(key="now", title=t("いまの配置"), note=t("予測どおりの人数"), staffed=now),
        Scenario(key="volume", title=t("来る人が%(n)s%%多い", n=volume), note=t("どの列も同じだけ多い日"), staffed=now,
                 volume=1 + volume / 100),
        Scenario(key="counter", title=t("窓口を1つ閉じる"), note=t("一日じゅう、この列から1つ"),
                 staffed={**now, line: fewer}),
    ]  # fmt: skip
    if person is not None:
        without = {who: cells for who, cells in look.sheet.shifts.items() if who != person}
        found.append(
            Scenario(key="person", title=t("%(name)sさんが休む", name=look.sheet.members[person].name),
                     note=t("代わりを立てないとき"), staffed=_counted(look, without))
        )  # fmt: skip
    own = look.lines[line].policy.get("allowance", 30)
    found.append(
        Scenario(key="policy", title=t("呼び出しの決まりを変える"), staffed=now, dials={"allowance": allowance},
                 note=t("予約のない人の持ち時間 %(own)s分 → %(then)s分", own=f"{own:g}", then=allowance))
    )  # fmt: skip
    return found


def _staffed(look: Seen) -> Staffed:
    """Counters by the roster; by their usual number where the office keeps none."""
    if look.sheet.members:
        return _counted(look, look.sheet.shifts)
    return {plan.category_id: dict.fromkeys(look.sheet.plan.starts, plan.facts.usual) for plan in look.plans}


def _counted(look: Seen, shifts: roster.Shifts) -> Staffed:
    has = roster.staffed(look.sheet.plan, shifts)
    return {line: dict(zip(look.sheet.plan.starts, each, strict=True)) for line, each in has.items()}


def compare(look: Seen, plan: LinePlan, wanted: Sequence[Scenario]) -> list[Column]:
    """Every setting played; the first is what the others are compared with."""
    now = _outcomes(look, wanted[0], of=plan)
    return [_column(look, plan, scenario, now) for scenario in wanted]


def _outcomes(look: Seen, scenario: Scenario, *, of: LinePlan, busy: float = 1.0) -> Mapping[str, Outcome]:
    """The lines under a setting; its dials belong to the line ``of``."""
    return played.office(
        look.plans, scenario.staffed, policies={name: line.policy for name, line in look.lines.items()},
        volume=scenario.volume * busy, changed={of.category_id: scenario.dials} if scenario.dials else None,
        wanted=None if busy == 1.0 else [of.category_id], days=played.DAYS if busy == 1.0 else played.DAYS // 2,
    )  # fmt: skip


def _column(look: Seen, plan: LinePlan, scenario: Scenario, now: Mapping[str, Outcome]) -> Column:
    line = plan.category_id
    busy = sum(each.arrivals for each in plan.high) / plan.people if plan.people else 1.0
    counters = played.counters_of(plan, scenario.staffed[line])
    asked = played.question(plan, counters, policy={}, volume=scenario.volume)
    needs = [
        need.counters
        for need in staffing.needs(
            asked.arrivals, service_min=asked.service_min, interval_min=INTERVAL_MIN, before=asked.before
        )
    ]
    then = _outcomes(look, scenario, of=plan)
    others = [
        (other, now[other].mean_wait, outcome.mean_wait)
        for other, outcome in then.items()
        if other != line and abs(outcome.mean_wait - now[other].mean_wait) >= _NOTICED_MIN
    ]
    return Column(
        scenario=scenario, outcome=then[line], hours=sum(counters) * INTERVAL_MIN / 60,
        high=_outcomes(look, scenario, of=plan, busy=busy)[line].within, picture=_picture(needs, counters),
        missing=sum(max(need - has, 0) for need, has in zip(needs, counters, strict=True)),
        others=sorted(others, key=lambda other: other[1] - other[2]),
    )  # fmt: skip


def _picture(needs: Sequence[int], counters: Sequence[int]) -> Picture:
    top = max(*needs, *counters, 2) + 0.5

    def steps(values: Sequence[int]) -> list[str]:
        return [
            f"{_STEP * (n + side)},{round(_TALL * (1 - value / top), 1)}"
            for n, value in enumerate(values) for side in (0, 1)
        ]  # fmt: skip

    return Picture(
        need=" ".join(steps(needs)), width=_STEP * len(needs),
        staffed=" ".join([f"0,{_TALL}", *steps(counters), f"{_STEP * len(needs)},{_TALL}"]),
        missing=[
            (_STEP * n, round(_TALL * (1 - need / top), 1), _STEP, round(_TALL * (need - has) / top, 1))
            for n, (need, has) in enumerate(zip(needs, counters, strict=True))
            if need > has
        ],
    )  # fmt: skip


def ticks(plan: LinePlan) -> list[tuple[int, str]]:
    """Hours below the picture: every third one."""
    return [
        (_STEP * n, f"{minute_of_day(start) // 60}:00")
        for n, start in enumerate(plan.starts)
        if minute_of_day(start) % 180 == 0
    ]
