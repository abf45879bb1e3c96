"""Erlang C: the chance to wait, and how many counters hold a target, for one interval in a steady state.

Arrivals are Poisson, service times exponential, nobody leaves. ``load`` is in erlangs: arrivals per minute times
minutes of service. The recursion runs on the inverse of Erlang B, ``1/B(n) = 1 + (n/a)/B(n-1)`` (Jagerman 1974),
whose reciprocal never overflows; C follows from B: ``C = B / (1 - (a/n)(1 - B))``.
"""

import math

MOST_SERVERS = 200_000


def waits(servers: int, load: float) -> float:
    """The chance that somebody who comes must wait; 1 where the load is not below the servers.

    Raises ValueError for fewer than one server or a negative load.
    """
    if servers < 1 or load < 0 or not math.isfinite(load):
        raise ValueError("servers must be at least 1 and the load a number of at least 0")
    if load == 0:
        return 0.0
    if load >= servers:
        return 1.0
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - (load / servers) * (1 - blocked))


def within(servers: int, load: float, *, service_min: float, target_min: float) -> float:
    """The share called within ``target_min`` minutes; 0 where the load is not below the servers."""
    if service_min <= 0 or target_min < 0:
        raise ValueError("minutes of service must be above 0, of the target at least 0")
    if load >= servers:
        return 0.0
    return 1 - waits(servers, load) * math.exp(-(servers - load) * target_min / service_min)


def mean_wait(servers: int, load: float, *, service_min: float) -> float:
    """The mean wait of everybody in minutes; infinite where the load is not below the servers."""
    return math.inf if load >= servers else waits(servers, load) * service_min / (servers - load)


def servers_for(load: float, *, service_min: float, target_min: float, share: float) -> int:
    """The fewest servers with at least ``share`` of all called within ``target_min``; 0 without any load.

    Grows from the least stable number; about the square root of the load more is enough, so it ends soon.
    """
    if not 0 < share < 1:
        raise ValueError("the share is between 0 and 1")
    if load == 0:
        return 0
    servers = math.floor(load) + 1
    while within(servers, load, service_min=service_min, target_min=target_min) < share:
        servers += 1
        if servers > MOST_SERVERS:
            raise ValueError("more load than any hall has")
    return servers
