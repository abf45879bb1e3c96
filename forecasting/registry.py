"""Every method by its name, behind one interface: a series and the days ahead in, parties per interval out.

A literal table; heavy libraries are imported only when a method that needs them is called.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from forecasting import cold_start, days, seasonal
from forecasting.series import Ahead, Floats, NotEnough, Series

log = logging.getLogger(__name__)
BASELINE = "sn4"
MEAN = "mean"
# Below eight weeks, only these.
YOUNG = ("sn4", "sn1", "cold")

# (series, days ahead, shape of the office or None) -> parties per interval, shape of the days ahead; NotEnough.
Call = Callable[[Series, Ahead, Floats | None], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """``words``: what it is, in one line. ``parts``: the methods it is the mean of, instead of ``call``."""

    words: str
    call: Call | None = None
    parts: tuple[str, ...] = ()


def _hybrid(series: Series, ahead: Ahead, _: Floats | None) -> Floats:
    from forecasting import prophet_model

    return prophet_model.hybrid(series, ahead)


def _glm(series: Series, ahead: Ahead, _: Floats | None) -> Floats:
    from forecasting import regression

    return regression.glm(series, ahead)


def _trees(series: Series, ahead: Ahead, _: Floats | None) -> Floats:
    from forecasting import regression

    return regression.trees(series, ahead)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "sn4": Method(words="mean of the last four same weekdays", call=lambda s, a, _: seasonal.sn4(s, a)),
        "sn1": Method(words="same weekday last week", call=lambda s, a, _: seasonal.sn1(s, a)),
        "cold": Method(words="empirical Bayes on the office's profile", call=cold_start.cold_start),
        "level": Method(words="exponential smoothing of the day, times profile",
                        call=lambda s, a, _: days.level(s, a)),
        "hybrid": Method(words="SN4 on days × Prophet on the log ratio × profile", call=_hybrid),
        "glm": Method(words="Poisson GLM on days × profile", call=_glm),
        "trees": Method(words="boosted trees, Poisson loss, on intervals", call=_trees),
        "mean": Method(words="mean of level, hybrid, glm and trees", parts=("level", "hybrid", "glm", "trees")),
    }
)  # fmt: skip


def forecast(name: str, series: Series, ahead: Ahead, office: Floats | None = None) -> Floats:
    """Parties per interval by one method, finite and not negative. Raises KeyError for an unknown name, NotEnough.

    A library that breaks on odd figures has nothing to say about this series; the other methods still have.
    """
    method = METHODS[name]
    if method.call is None:
        found = np.mean([forecast(part, series, ahead, office) for part in method.parts], axis=0)
    else:
        found = _called(name, method.call, series, ahead, office)
    return np.where(ahead.open, np.maximum(np.nan_to_num(found), 0.0), 0.0)


def _called(name: str, call: Call, series: Series, ahead: Ahead, office: Floats | None) -> Floats:
    try:
        return call(series, ahead, office)
    except (NotEnough, MemoryError):
        raise
    except Exception as error:
        log.warning("%s broke on a series of %s days", name, series.days, exc_info=True)
        raise NotEnough(f"{name} broke: {error}") from error
