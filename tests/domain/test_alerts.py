"""What calls a floor lead, from which instant on, how urgent it is, and what is proposed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.advice import Advice, Deed
from app.domain.alerts import SEEN_FOR, Alert, Code, Dials, Seen, Severity, find, still_seen
from app.domain.calling import Line as Served
from app.domain.floor import Counter, Floor, Party
from app.domain.ticket import State
from tests.domain.floors import BOTH, NOW, A, B, ago, called, counter, floor, party, serving

SECOND = timedelta(seconds=1)


def only(where: Floor, at: datetime = NOW) -> Alert:
    found = find(where, at)
    assert len(found) == 1, found
    return found[0]


def test_a_calm_floor_calls_nobody() -> None:
    assert find(floor(counter(1), serving(1, "c1", minutes=5), party(2, waited=3)), NOW) == []
    assert find(floor(), NOW) == []
    assert find(floor(counter(1, "closed")), NOW) == []


def busy_a(waited: float) -> Floor:
    return floor(counter(1), serving(9, "c1", minutes=1), party(1, waited=waited), party(2, waited=2))


@pytest.mark.parametrize(
    ("waited", "severity"), [(19.9, None), (20, Severity.SOON), (29.9, Severity.SOON), (30, Severity.URGENT)]
)
def test_a_wait_past_the_target_calls_and_much_past_it_calls_at_once(waited: float, severity: Severity | None) -> None:
    found = find(busy_a(waited), NOW)
    assert [alert.severity for alert in found] == ([] if severity is None else [severity])
    for alert in found:
        assert (alert.code, alert.category) == (Code.LATE, A)
        assert alert.since == ago(waited) + timedelta(minutes=20)
        assert alert.values == {"waiting": 2, "minutes": int(waited), "target": 20}


def test_a_line_is_measured_by_its_own_target() -> None:
    held = serving(9, "c1", minutes=1, category=B)
    assert find(floor(counter(1, serves=B), held, party(1, B, waited=25)), NOW) == []
    assert only(floor(counter(1, serves=B), held, party(1, B, waited=31))).category == B


def test_somebody_booked_who_came_early_does_not_wait_before_the_time() -> None:
    early = party(1, waited=50, eligible_at=ago(5))
    assert find(floor(counter(1), serving(9, "c1", minutes=1), early), NOW) == []
    assert find(floor(counter(1), party(1, waited=50, eligible_at=NOW + SECOND)), NOW) == []


def test_somebody_at_a_counter_with_another_step_does_not_wait() -> None:
    elsewhere = party(1, waited=50, ticket=9)
    assert find(floor(counter(1), counter(2, serves=B), serving(9, "c2", minutes=1, category=B), elsewhere), NOW) == []


def party_of(**more: Any) -> Party:
    return party(1, waited=2, **more)


@pytest.mark.parametrize("state", ["closed", "paused"])
def test_a_line_that_no_counter_calls(state: str) -> None:
    alert = only(floor(counter(1, state), counter(2, serves=B), party_of()))
    assert (alert.code, alert.severity, alert.category) == (Code.NO_COUNTER, Severity.SOON, A)
    assert alert.values["waiting"] == 1
    worse = only(floor(counter(1, state), counter(2, serves=B), party(1, waited=21)))
    assert (worse.code, worse.severity) == (Code.NO_COUNTER, Severity.URGENT)


def test_a_helping_counter_is_a_counter() -> None:
    serves = (Served(category_id=B), Served(category_id=A, after_minutes=10))
    helping = Counter(id="c1", number="1", state="open", since=ago(60), serves=serves)
    busy = serving(9, "c1", minutes=1, category=B)
    assert find(floor(helping, busy, party_of()), NOW) == []


def idle_floor(free_for: float, waited: float = 30, **more: Any) -> Floor:
    return floor(counter(1, free_since=ago(seconds=free_for), **more), party(1, waited=waited, eligible_at=ago(waited)))


@pytest.mark.parametrize(("free_for", "found"), [(89, False), (90, True)])
def test_a_free_counter_whose_people_wait(free_for: float, found: bool) -> None:
    alerts = find(idle_floor(free_for, waited=10), NOW)
    assert [alert.code for alert in alerts] == ([Code.IDLE] if found else [])
    if found:
        assert alerts[0].advice == Advice(deed=Deed.CALL_NEXT, counter="c1", number="A001")
        assert (alerts[0].counter, alerts[0].since) == ("c1", NOW)


def test_a_counter_is_not_idle_before_somebody_came() -> None:
    assert find(idle_floor(free_for=3000, waited=1), NOW) == []
    assert find(idle_floor(free_for=3000, waited=5, since=ago(1)), NOW) == []


def test_an_empty_or_closed_counter_is_not_idle() -> None:
    assert find(floor(counter(1, free_since=ago(60))), NOW) == []
    resting = counter(1, "paused", back_at=NOW + SECOND)
    assert find(floor(resting, counter(2), serving(2, "c2", minutes=1), party(1, waited=5)), NOW) == []


def test_a_helping_counter_is_idle_only_when_it_may_help() -> None:
    def helper(after: float) -> Floor:
        serves = (Served(category_id=B), Served(category_id=A, after_minutes=after))
        return floor(Counter(id="c1", number="1", state="open", since=ago(90), serves=serves), party(1, waited=10))

    assert find(helper(after=15), NOW) == []
    assert only(helper(after=5)).code is Code.IDLE


@pytest.mark.parametrize(
    ("minutes", "recalls", "expected"),
    [
        (2.9, 0, None),
        (3, 0, (Severity.SOON, Deed.RECALL)),
        (3, 2, (Severity.SOON, Deed.MISS)),
        (6, 1, (Severity.URGENT, Deed.RECALL)),
    ],
)
def test_somebody_called_who_does_not_come(
    minutes: float, recalls: int, expected: tuple[Severity, Deed] | None
) -> None:
    found = find(floor(counter(1), called(1, "c1", minutes=minutes, recalls=recalls)), NOW)
    if expected is None:
        assert found == []
        return
    assert (found[0].code, found[0].steps, found[0].counter) == (Code.NOT_COME, (1,), "c1")
    assert found[0].advice is not None
    assert (found[0].severity, found[0].advice.deed) == expected
    assert found[0].values["calls"] == recalls + 1


@pytest.mark.parametrize(("past", "found"), [(0.9, False), (1, True)])
def test_a_break_past_its_end(past: float, found: bool) -> None:
    alerts = find(floor(counter(1, "paused", back_at=ago(past))), NOW)
    assert [alert.code for alert in alerts] == ([Code.OVERDUE] if found else [])
    if found:
        assert alerts[0].advice == Advice(deed=Deed.RESUME, counter="c1", profile=A)
    assert find(floor(counter(1, "paused")), NOW) == []
    assert find(floor(counter(1, "closed", back_at=ago(past))), NOW) == []


def test_a_clerk_who_asks_for_help_comes_first() -> None:
    found = find(
        floor(counter(1, help_since=ago(1)), serving(9, "c1", minutes=1), party(1, waited=25), party(2, waited=5)), NOW
    )
    assert [alert.code for alert in found] == [Code.HELP, Code.LATE]
    assert find(floor(counter(1, "closed", help_since=ago(1))), NOW) == []


@pytest.mark.parametrize(("minutes", "found"), [(19, False), (20, True)])
def test_a_party_served_for_twice_the_usual_time(minutes: float, found: bool) -> None:
    alerts = find(floor(counter(1), serving(1, "c1", minutes=minutes)), NOW)
    assert [alert.code for alert in alerts] == ([Code.LONG] if found else [])
    assert find(floor(counter(1), serving(1, "c1", minutes=minutes), minutes={}), NOW) == []


def test_a_short_procedure_may_take_ten_minutes_more() -> None:
    short = {("s-a", "accept"): 3.0}
    assert find(floor(counter(1), serving(1, "c1", minutes=12), minutes=short), NOW) == []
    assert only(floor(counter(1), serving(1, "c1", minutes=13), minutes=short)).code is Code.LONG


def test_those_set_aside_are_one_matter_until_another_joins() -> None:
    def gone(step: int, minutes: float, state: State = State.PARKED) -> Party:
        return party(step, state=state, waited=60, changed_at=ago(minutes))

    first = only(floor(gone(1, 25), gone(2, 19)))
    assert (first.code, first.steps, first.values) == (Code.PARKED, (1,), {"people": 1, "minutes": 25})
    both = only(floor(gone(2, 21), gone(1, 25)))
    assert (both.steps, both.since) == ((1, 2), ago(5))
    assert first.key != both.key
    missed = only(floor(gone(1, 9, State.MISSED), gone(3, 10, State.MISSED)))
    assert (missed.code, missed.steps, missed.severity) == (Code.MISSED, (3,), Severity.NOTE)


def late(*counters: Counter) -> Floor:
    return floor(counter(1), serving(9, "c1", minutes=1), party(1, waited=25), *counters)


def advice_for(where: Floor, category: str = A) -> Advice | None:
    return next(alert.advice for alert in find(where, NOW) if alert.category == category)


def test_a_closed_counter_of_the_line_is_proposed_with_its_profile() -> None:
    assert advice_for(late(counter(2, "closed"))) == Advice(deed=Deed.OPEN, counter="c2", profile=A)


def test_the_own_section_comes_first_then_whoever_joins_both_lines() -> None:
    strange = counter(2, "closed", section="z")
    other = counter(3, "closed", serves=B, usual=B)
    own = counter(4, "closed")
    assert advice_for(late(strange, other, own)) == Advice(deed=Deed.OPEN, counter="c4", profile=A)
    assert advice_for(late(other, strange)) == Advice(deed=Deed.OPEN, counter="c2", profile=A)
    assert advice_for(late(other)) == Advice(deed=Deed.OPEN, counter="c3", profile=BOTH)


def test_who_sits_with_nobody_to_call_is_proposed_before_a_closed_counter() -> None:
    assert advice_for(late(counter(2, "closed"), counter(3, serves=B))) == Advice(
        deed=Deed.LEND, counter="c3", profile=BOTH
    )


def test_who_has_people_of_the_own_line_is_not_lent() -> None:
    where = floor(
        counter(1), serving(9, "c1", minutes=1), party(1, waited=25), counter(3, serves=B, since=ago(1)), party(2, B)
    )
    assert advice_for(where) is None
    busy = floor(
        counter(1), serving(9, "c1", minutes=1), party(1, waited=25), counter(3, serves=B),
        serving(8, "c3", minutes=2, category=B),
    )  # fmt: skip
    assert advice_for(busy) is None


def test_who_is_on_a_break_is_not_lent() -> None:
    assert advice_for(late(counter(3, "paused", serves=B))) is None


def test_nothing_is_proposed_where_nobody_knows_the_line() -> None:
    alone = {A: (Served(category_id=A),), B: (Served(category_id=B),)}
    where = floor(
        counter(1), serving(9, "c1", minutes=1), party(1, waited=25), counter(3, serves=B), counter(4, "closed", B),
        counter(5, "closed", None), profiles=alone,
    )  # fmt: skip
    assert advice_for(where) is None


def test_a_helping_profile_is_proposed_only_when_it_would_call() -> None:
    helping = {B: (Served(category_id=B),), "b+": (Served(category_id=B), Served(category_id=A, after_minutes=30))}

    def where(waited: float) -> Floor:
        return floor(counter(1), serving(9, "c1", minutes=1), party(1, waited=waited), counter(3, serves=B),
                     profiles=helping)  # fmt: skip

    assert advice_for(where(25)) is None
    assert advice_for(where(31)) == Advice(deed=Deed.LEND, counter="c3", profile="b+")


def test_two_late_lines_are_not_given_the_same_counter() -> None:
    where = floor(
        counter(1), serving(9, "c1", minutes=1), party(1, waited=25),
        counter(2, serves=B), serving(8, "c2", minutes=1, category=B), party(2, B, waited=40),
        counter(3, "closed", usual=BOTH),
    )  # fmt: skip
    assert [alert.advice for alert in find(where, NOW)] == [Advice(deed=Deed.OPEN, counter="c3", profile=BOTH), None]


def seen(alert: Alert, minutes_ago: float, severity: Severity | None = None) -> Seen:
    worst = alert.severity if severity is None else severity
    return Seen(key=alert.key, severity=worst, at=ago(minutes_ago), by="山口")


def test_what_somebody_took_care_of_steps_back_for_a_while() -> None:
    alert = only(busy_a(25))
    assert still_seen(alert, seen(alert, 9), NOW)
    assert not still_seen(alert, seen(alert, SEEN_FOR.total_seconds() / 60), NOW)


def test_what_grew_worse_comes_back() -> None:
    alert = only(busy_a(35))
    assert not still_seen(alert, seen(alert, 1, Severity.SOON), NOW)
    assert still_seen(only(busy_a(25)), seen(only(busy_a(25)), 1, Severity.URGENT), NOW)


def test_the_same_line_late_by_its_next_party_stays_seen() -> None:
    alert = only(busy_a(21))
    assert alert.since > ago(5)
    assert still_seen(alert, seen(alert, 5), NOW)


def test_a_counter_idle_again_is_a_new_matter() -> None:
    alert = only(idle_floor(free_for=120, waited=10))
    assert not still_seen(alert, seen(alert, 2), NOW)
    assert still_seen(alert, seen(alert, 0.2), NOW)


def test_another_matter_was_not_seen() -> None:
    alert, other = only(busy_a(25)), only(idle_floor(free_for=120, waited=10))
    assert not still_seen(alert, seen(other, 1), NOW)


def test_the_dials_decide() -> None:
    patient = Dials(idle=timedelta(minutes=30))
    assert find(idle_floor(free_for=120, waited=10), NOW, patient) == []
