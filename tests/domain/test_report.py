"""A report adds up: every visit once, shares of what is known, nearest-rank quantiles."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain import report
from app.domain.report import Fact

BEGIN = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)


def fact(**other: object) -> Fact:
    plain: dict[str, object] = {
        "day": date(2026, 4, 1), "arrived_at": BEGIN, "service": "s", "category": "c", "counter": "3",
        "section": "市民課", "channel": "kiosk", "first": True, "wait": 5.0, "service_min": 4.0, "target": 10,
        "missed": False, "done": True, "booked": False, "kept": False,
    }  # fmt: skip
    return Fact(**{**plain, **other})  # type: ignore[arg-type]


FACTS = st.lists(
    st.builds(
        fact, day=st.dates(date(2026, 3, 30), date(2026, 4, 3)), category=st.sampled_from("ABC"), first=st.booleans(),
        arrived_at=st.integers(0, 600).map(lambda minute: BEGIN + timedelta(minutes=minute)),
        wait=st.none() | st.floats(0, 200), done=st.booleans(), missed=st.booleans(), booked=st.booleans(),
        counter=st.sampled_from(["", "1", "2"]),
    ),
    max_size=60,
)  # fmt: skip


@given(facts=FACTS, name=st.sampled_from(sorted(report.REPORTS)))
def test_rows_add_up_to_the_whole(facts: list[Fact], name: str) -> None:
    by = report.REPORTS[name]
    counted = [each for each in facts if by(each)]
    rows, whole = report.rows(facts, by), report.row("all", counted)
    for column in ("visits", "steps", "served", "missed", "booked"):
        assert sum(getattr(row, column) for row in rows) == getattr(whole, column)
    assert [row.key for row in rows] == sorted({by(each) for each in counted})


@given(facts=FACTS)
def test_figures_are_within_what_happened(facts: list[Fact]) -> None:
    row = report.row("all", facts)
    waits = [each.wait for each in facts if each.wait is not None]
    if not waits:
        assert (row.wait_mean, row.wait_median, row.wait_nine, row.within) == (None, None, None, None)
        return
    assert row.wait_median in waits
    assert row.wait_nine in waits
    assert sum(wait <= (row.wait_nine or 0) for wait in waits) >= 0.9 * len(waits)
    assert row.within == sum(wait <= 10 for wait in waits) / len(waits)
    assert row.wait_longest == max(waits)


def test_a_booking_counts_once_and_is_kept_or_not() -> None:
    visit = [fact(booked=True, kept=True), fact(booked=True, kept=False, first=False), fact(booked=True, kept=False)]
    row = report.row("all", visit)
    assert (row.visits, row.booked, row.kept) == (2, 2, 0.5)


def test_the_hour_is_a_japanese_one() -> None:
    assert report.REPORTS["hours"](fact()) == "09"
