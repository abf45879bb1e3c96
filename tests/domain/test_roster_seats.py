"""Seats of a day: nobody twice, whoever sits goes on sitting, lunch brings one back to the own place."""

from app.domain.roster import LUNCH
from app.domain.roster_seats import seats


def test_everybody_keeps_the_place_through_lunch() -> None:
    shifts = {"1": ("a", "a", LUNCH, "a"), "2": ("a", "a", "a", "a")}
    found = seats(shifts, {"a": ("2", "3")})
    assert {found["1", slot] for slot in (0, 1, 3)} == {"2"}
    assert {found["2", slot] for slot in range(4)} == {"3"}


def test_more_people_than_counters_have_none_and_do_not_hop() -> None:
    shifts = {"1": ("a", LUNCH, LUNCH), "2": ("a", "a", "a")}
    found = seats(shifts, {"a": ("2",)})
    assert found["1", 0] == "2"
    assert [found["2", slot] for slot in range(3)] == [None, None, None]


def test_nobody_sits_where_another_sits() -> None:
    shifts = {str(number): ("a",) * number + ("b",) * (6 - number) for number in range(6)}
    found = seats(shifts, {"a": ("1", "2", "3"), "b": ("4", "5", "6")})
    for slot in range(6):
        taken = [place for (_, at), place in found.items() if at == slot and place is not None]
        assert len(taken) == len(set(taken))
