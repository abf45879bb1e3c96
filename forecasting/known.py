"""Bookings as arrivals that are known: those made, times the share that comes, and those still to be made.

Additive pick-up, as hotels and airlines do: what is usually booked on such a day, times the share of bookings that is
not made yet so many days before.
"""

from collections.abc import Sequence

import numpy as np

from forecasting import seasonal
from forecasting.series import Ahead, Floats, NotEnough, Series
from forecasting.task import Task

_PSEUDO_LEADS, _USUAL_HALF_LIFE_DAYS = 5.0, 7.0


def made_by(leads: Sequence[int], ahead: int) -> float:
    """Share of the bookings of the ``ahead``-th day ahead (0: today, before it begins) that are made by now."""
    made = sum(lead > ahead for lead in leads)
    usual: float = 0.5 ** (ahead / _USUAL_HALF_LIFE_DAYS)
    return (made + _PSEUDO_LEADS * usual) / (len(leads) + _PSEUDO_LEADS)


def split(task: Task) -> tuple[Series, Series] | None:
    """Who came without and with a booking; None where nobody ever booked and nobody has."""
    if not any(map(any, task.booked)) and not any(map(any, task.bookings)):
        return None
    whole = task.series()
    booked = np.array(task.booked, dtype=np.float64).reshape(-1, whole.slots)
    booked = np.where(whole.open, np.minimum(booked, np.nan_to_num(whole.counts)), np.nan)
    return (
        Series(whole.first, whole.interval_min, whole.counts - booked, whole.holidays),
        Series(whole.first, whole.interval_min, booked, whole.holidays),
    )


def expected(task: Task, booked: Series, ahead: Ahead) -> Floats:
    """Parties with a booking that will come, per interval of the days ahead."""
    made = np.zeros(ahead.open.shape)
    given = np.array(task.bookings, dtype=np.float64).reshape(-1, booked.slots)[: ahead.days]
    made[: len(given)] = given
    try:
        usual = seasonal.sn4(booked, ahead)
    except NotEnough:
        usual = np.zeros(ahead.open.shape)
    open_still = np.array([1 - made_by(task.leads, day) for day in range(ahead.days)])
    return np.asarray(made * task.show_rate + usual * open_still[:, None])
