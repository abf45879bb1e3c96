"""What is usual for a service in an hour: its share of the line, minutes at the counter, who does not come.

Little is seen of most services in most hours, so every figure leans on a wider one with the weight of a few visits:
the hour on the service's whole day, the whole day on its line (share) or the catalogue (minutes).
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

WHOLE_DAY = -1
# Weights of the wider figure, in visits.
_LEAN_SHARE, _LEAN_MINUTES, _LEAN_NO_SHOW = 20.0, 15.0, 30.0
# Beyond these a clerk forgot to press a key.
_LEAST_MINUTES, _MOST_MINUTES = 0.2, 180.0
USUAL_NO_SHOW, USUAL_SPREAD = 0.03, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One past visit: ``hour`` it came (0 to 23, Japan), ``minutes`` at the counter where both ends are known."""

    service: str
    line: str
    hour: int
    called: bool
    no_show: bool
    minutes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A service as it stands in the catalogue: its line and its planned minutes."""

    service: str
    line: str
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``share`` of the line's arrivals in the hour, mean ``minutes``, ``spread`` (sd of the log), ``no_show`` share."""

    service: str
    line: str
    hour: int
    share: float
    minutes: float
    spread: float
    no_show: float
    samples: int


@dataclass(slots=True)
class _Sums:
    people: int = 0
    called: int = 0
    no_shows: int = 0
    logs: list[float] = field(default_factory=list)
    minutes: float = 0.0

    def add(self, visit: Seen) -> None:
        self.people += 1
        self.called += visit.called
        self.no_shows += visit.no_show
        if visit.minutes is not None and _LEAST_MINUTES <= visit.minutes <= _MOST_MINUTES:
            self.logs.append(math.log(visit.minutes))
            self.minutes += visit.minutes


def learn(offered: Iterable[Offered], seen: Iterable[Seen]) -> list[Rate]:
    """The rates of every service offered: one for the whole day, and one for each hour in which its line was busy."""
    services = {each.service: each for each in offered}
    sums: dict[tuple[str, int], _Sums] = defaultdict(_Sums)
    of_line: dict[tuple[str, int], int] = defaultdict(int)
    for visit in seen:
        known = services.get(visit.service)
        if known is None or known.line != visit.line:
            continue
        for hour in (WHOLE_DAY, visit.hour):
            sums[visit.service, hour].add(visit)
            of_line[visit.line, hour] += 1
    in_line: dict[str, int] = defaultdict(int)
    for each in services.values():
        in_line[each.line] += 1
    found = []
    for each in services.values():
        whole = _whole_day(each, sums[each.service, WHOLE_DAY], of_line[each.line, WHOLE_DAY], in_line[each.line])
        hours = sorted(hour for line, hour in of_line if line == each.line and hour != WHOLE_DAY)
        found += [whole, *(_in_hour(whole, hour, sums[each.service, hour], of_line[each.line, hour]) for hour in hours)]
    return found


def _lean(sum_: float, count: float, wider: float, weight: float) -> float:
    return (sum_ + weight * wider) / (count + weight)


def _spread(logs: list[float]) -> float:
    if len(logs) < 2:
        return USUAL_SPREAD
    mean = sum(logs) / len(logs)
    own = sum((each - mean) ** 2 for each in logs)
    return math.sqrt(_lean(own, len(logs) - 1, USUAL_SPREAD**2, _LEAN_MINUTES))


def _whole_day(offered: Offered, own: _Sums, line_people: int, in_line: int) -> Rate:
    return Rate(
        service=offered.service, line=offered.line, hour=WHOLE_DAY, samples=own.people,
        share=_lean(own.people, line_people, 1 / in_line, _LEAN_SHARE),
        minutes=_lean(own.minutes, len(own.logs), offered.minutes, _LEAN_MINUTES), spread=_spread(own.logs),
        no_show=_lean(own.no_shows, own.called, USUAL_NO_SHOW, _LEAN_NO_SHOW),
    )  # fmt: skip


def _in_hour(whole: Rate, hour: int, own: _Sums, line_people: int) -> Rate:
    return Rate(
        service=whole.service, line=whole.line, hour=hour, samples=own.people, spread=whole.spread,
        share=_lean(own.people, line_people, whole.share, _LEAN_SHARE),
        minutes=_lean(own.minutes, len(own.logs), whole.minutes, _LEAN_MINUTES),
        no_show=_lean(own.no_shows, own.called, whole.no_show, _LEAN_NO_SHOW),
    )  # fmt: skip
