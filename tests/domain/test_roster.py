"""A roster's rules: what is short, what a person's day breaks, and a first roster that breaks nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.domain.roster import BACK, LUNCH, OFF, REST, Broken, Day, Person, broken, fitted, gaps, served, shortfall
from app.domain.roster_first import first

STARTS = tuple(510 + 30 * slot for slot in range(17))
WHOLE = (True,) * 17
ANNA = Person(id="1", lines=("a", "b"), present=WHOLE, lunch=2, rests=1)
GOOD = ("a",) * 7 + (LUNCH,) * 2 + ("b",) * 3 + (REST,) + (BACK,) * 4


def day(*people: Person, a: int = 1, b: int = 0) -> Day:
    return Day(starts=STARTS, people=people, needs={"a": (a,) * 17, "b": (b,) * 17})


def test_what_is_short_is_named_with_its_time() -> None:
    short = gaps(day(ANNA), {"1": GOOD})
    assert [(gap.start, gap.line, gap.missing) for gap in short[:2]] == [(720, "a", 1), (750, "a", 1)]
    assert shortfall(day(ANNA), {"1": GOOD}) == 10 / 17
    assert shortfall(day(ANNA, a=0), {"1": GOOD}) == 0


def test_a_day_that_keeps_the_rules_breaks_none() -> None:
    assert broken(ANNA, GOOD) == []
    assert served(GOOD) == 10


def test_each_rule_that_is_broken_is_named() -> None:
    assert broken(ANNA, ("c", *GOOD[1:])) == [Broken.SKILL]
    assert broken(ANNA, tuple(cell if cell != LUNCH else "a" for cell in GOOD)) == [Broken.LUNCH]
    assert broken(ANNA, (*GOOD[:8], "a", *GOOD[9:])) == [Broken.LUNCH]
    assert broken(ANNA, tuple(cell if cell != REST else "a" for cell in GOOD)) == [Broken.REST]
    assert broken(replace(ANNA, present=(False, *WHOLE[1:])), GOOD) == [Broken.ABSENT]
    assert broken(ANNA, (OFF,) * 17) == []


def test_somebody_who_comes_later_is_off_before() -> None:
    late = replace(ANNA, present=(False, False, *WHOLE[2:]))
    assert fitted(late, GOOD)[:3] == (OFF, OFF, "a")
    assert fitted(ANNA, ("",) * 17) == (BACK,) * 17


@st.composite
def days(draw: st.DrawFn) -> Day:
    names = [f"l{number}" for number in range(draw(st.integers(1, 4)))]
    people = []
    for number in range(draw(st.integers(1, 8))):
        begin, length = draw(st.integers(0, 8)), draw(st.integers(0, 17))
        present = tuple(begin <= slot < begin + length for slot in range(17))
        here = sum(present)
        people.append(
            Person(id=str(number), lines=tuple(draw(st.sets(st.sampled_from(names)))), present=present,
                   lunch=2 if here >= 12 else 0, rests=1 if here >= 8 else 0)
        )  # fmt: skip
    needs = {name: tuple(draw(st.lists(st.integers(0, 3), min_size=17, max_size=17))) for name in names}
    return Day(starts=STARTS, people=tuple(people), needs=needs)


@given(days())
def test_the_first_roster_keeps_every_rule(day: Day) -> None:
    found = first(day)
    assert set(found) == {person.id for person in day.people}
    assert [broken(person, found[person.id]) for person in day.people] == [[] for _ in day.people]
