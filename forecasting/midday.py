"""The rest of a day told again from its beginning: every interval to come times (Y + k) / (Ŷ + k).

Y came so far where Ŷ were expected; k people hold back a morning of which little can be told (gamma-Poisson). How many
is learned from the line's own past (midday_judged.py), as a share of the people of a day: where mornings say nothing
about afternoons it is many times the day, and the rest stays as it was told.
"""

from collections.abc import Sequence

# Of a line that was never judged; chance alone moves a morning of few people, so there are never less than some.
USUAL_SHARE, LEAST_HELD = 1.0, 40.0
_MOST, _LEAST = 2.5, 0.3


def factor(*, came: float, expected_so_far: float, expected_of_day: float, held_share: float | None = None) -> float:
    """What the rest of the day is multiplied by; 1 for a day on which nobody is expected.

    ``held_share``: k beside the people of the day, None for a line that was never judged.
    """
    if expected_of_day <= 0:
        return 1.0
    held = usual(expected_of_day) if held_share is None else held_share * expected_of_day
    return min(max((came + held) / (expected_so_far + held), _LEAST), _MOST)


def usual(expected_of_day: float) -> float:
    """The people that hold back a line of which nothing is known."""
    return max(USUAL_SHARE * expected_of_day, LEAST_HELD)


def told_again(
    expected: Sequence[float], low: Sequence[float], high: Sequence[float], by: float
) -> list[tuple[float, float, float]]:
    """``(expected, low, high)`` of the intervals to come times ``by``; half-widths go with the root, as counts do."""
    root = by**0.5
    return [
        (middle * by, max(middle * by - (middle - below) * root, 0.0), middle * by + (above - middle) * root)
        for middle, below, above in zip(expected, low, high, strict=True)
    ]
