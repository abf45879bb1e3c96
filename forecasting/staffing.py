"""How many counters at what hour: Erlang C at once for each interval, verified by a simulated hall.

People who stand at the door before the opening are load of the first interval; a long service weighs on the
intervals that follow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forecasting import erlang, hall
from forecasting.hall import Day, Outcome

VERIFIED_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One interval of one line. ``load`` in erlangs; ``share`` expected within the target with ``counters`` open."""

    arrivals: float
    load: float
    counters: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``share`` of all called within ``minutes``; a tender's usual one by default."""

    minutes: float = 10
    share: float = 0.8


def loads(arrivals: Sequence[float], *, service_min: float, interval_min: int, before: float = 0) -> list[float]:
    """Erlangs in each interval: how many would be served at once, on its average, were there counters for all.

    Of those who come by ``t`` (``A(t)``, even within an interval, ``before`` of them as it opens) the ones served at
    ``t`` came in the last service time: ``A(t) - A(t - s)``, whose mean over an interval follows from the integral of
    ``A`` (the offered load of an infinite hall; Eick, Massey and Whitt 1993 with services of one length). So a long
    service weighs on the intervals that follow, and a short one on its own.
    """

    def integral(t: float) -> float:
        """Of ``A`` from the opening to ``t`` minutes."""
        found = before * max(t, 0.0)
        for number, people in enumerate(arrivals):
            inside = min(max(t - number * interval_min, 0.0), interval_min)
            past = max(t - (number + 1) * interval_min, 0.0)
            found += people * (inside * inside / (2 * interval_min) + past)
        return found

    ends = [interval_min * number for number in range(len(arrivals) + 1)]
    come = [integral(end) for end in ends]
    gone = [integral(end - service_min) for end in ends]
    return [(come[n + 1] - come[n] - gone[n + 1] + gone[n]) / interval_min for n in range(len(arrivals))]


def needs(
    arrivals: Sequence[float], *, service_min: float, interval_min: int = 30, before: float = 0,
    target: Target | None = None,
) -> list[Need]:  # fmt: skip
    """The fewest counters of each interval by Erlang C (``forecasting/erlang.py``); none where nobody comes."""
    aim = target or Target()
    found = []
    for people, load in zip(
        arrivals, loads(arrivals, service_min=service_min, interval_min=interval_min, before=before), strict=True
    ):
        counters = erlang.servers_for(load, service_min=service_min, target_min=aim.minutes, share=aim.share)
        share = erlang.within(counters, load, service_min=service_min, target_min=aim.minutes) if counters else 1.0
        found.append(Need(arrivals=people, load=load, counters=counters, share=share))
    return found


def verify(
    arrivals: Sequence[float], counters: Sequence[int], *, service_min: float, interval_min: int = 30,
    before: float = 0, target: Target | None = None, spread: float = 0.6, days: int = VERIFIED_DAYS, seed: int = 1,
) -> Outcome:  # fmt: skip
    """What the real call policy makes of such a day; ``Outcome.within`` is the share within the target."""
    aim = target or Target()
    day = Day(arrivals=arrivals, counters=counters, service_min=service_min, interval_min=interval_min, spread=spread,
              before=before)  # fmt: skip
    return hall.simulate(day, target_min=aim.minutes, days=days, seed=seed)


def verified(
    arrivals: Sequence[float], *, service_min: float, interval_min: int = 30, before: float = 0,
    target: Target | None = None, spread: float = 0.6, most_rounds: int = 12,
) -> tuple[list[Need], Outcome]:  # fmt: skip
    """The needs with the simulation that confirms them: a counter more in the worst interval until the target holds."""
    aim = target or Target()
    found = needs(arrivals, service_min=service_min, interval_min=interval_min, before=before, target=aim)
    counters = [need.counters for need in found]
    outcome = verify(arrivals, counters, service_min=service_min, interval_min=interval_min, before=before,
                     target=aim, spread=spread)  # fmt: skip
    for _ in range(most_rounds):
        if outcome.within >= aim.share:
            break
        shares = [1.0 if share is None else share for share in outcome.by_interval]
        worst = shares.index(min(shares))
        counters[worst] += 1
        outcome = verify(arrivals, counters, service_min=service_min, interval_min=interval_min, before=before,
                         target=aim, spread=spread)  # fmt: skip
    return (
        [
            Need(arrivals=need.arrivals, load=need.load, counters=number,
                 share=erlang.within(number, need.load, service_min=service_min, target_min=aim.minutes)
                 if number else 1.0)
            for need, number in zip(found, counters, strict=True)
        ],
        outcome,
    )  # fmt: skip
