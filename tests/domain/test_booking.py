"""A booking's table, reference, names and numbers: the pure rules."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import booking as rules
from app.domain.booking import REFERENCE_LETTERS, TABLE, Action, Asked, Asks, Half, Person, State, Timing, after, timing
from app.domain.errors import IllegalTransition, InvalidInput
from app.domain.slots import LineRules

START = datetime(2026, 4, 2, 1, 0, tzinfo=UTC)
RULES = LineRules(grid=15, capacity=1, check_in_early=60, no_show_after=30)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_what_is_not_in_the_table_is_refused(state: State, action: Action) -> None:
    if (state, action) in TABLE:
        assert after(state, action) in State
    else:
        with pytest.raises(IllegalTransition):
            after(state, action)


def test_references_have_no_letters_that_look_alike_and_differ() -> None:
    found = {rules.reference(b"secret", f"seed-{number}", attempt) for number in range(500) for attempt in range(2)}
    assert len(found) == 1000
    assert {len(each) for each in found} == {6}
    assert set("".join(found)) <= set(REFERENCE_LETTERS)
    assert not set("01OIL2Z5S8BUVAE") & set(REFERENCE_LETTERS)
    assert rules.normal_reference(" ｒ7ｋ-2q4 ") == "R7K2Q4"
    assert rules.spoken_reference("R7K2Q4") == "R7K-2Q4"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("03-1234-5678", "+81312345678"), ("０３（１２３４）５６７８", "+81312345678"),
     ("+81 3 1234 5678", "+81312345678"),
     ("090-1234-5678", "+819012345678"), ("060 1234 5678", "+816012345678")],
)  # fmt: skip
def test_a_telephone_may_be_a_fixed_line(typed: str, stored: str) -> None:
    assert rules.telephone(typed) == stored


@pytest.mark.parametrize("typed", ["110", "0120-123-456", "0570-000-000", "0990-123-456", "+44 20 7946 0018", "03-1234",
                                   "", "03-1234-56789", "0" * 50, "03\n12345678"])  # fmt: skip
def test_what_reaches_no_person_is_no_telephone(typed: str) -> None:
    with pytest.raises(InvalidInput):
        rules.telephone(typed)


def test_names_are_equal_beyond_spaces_width_and_kana() -> None:
    keys = {rules.name_key(name) for name in ("ヤマダ ハナコ", "ﾔﾏﾀﾞ ﾊﾅｺ", "やまだはなこ", "ヤマダ・ハナコ")}
    assert len(keys) == 1
    assert rules.name_key("山田花子") != rules.name_key("山田花")


def test_the_strictest_of_several_services_is_asked_and_no_more_is_kept() -> None:
    asks = Asks.of([Asks(name=Asked.NO), Asks(name=Asked.MUST, contact=Asked.NO)])
    assert asks == Asks(name=Asked.MUST, contact=Asked.MAY)
    assert Person(phone="+81").missing(asks) == ["name"]
    nothing = Asks(name=Asked.NO, contact=Asked.NO)
    assert Person(name="山田", phone="+81", email="a@b", notes="n").kept(nothing) == Person(notes="n")


@pytest.mark.parametrize(
    ("minutes", "taken"),
    [(-61, Timing.TOO_EARLY), (-60, Timing.ON_TIME), (5, Timing.ON_TIME), (6, Timing.LATE), (30, Timing.LATE),
     (31, Timing.MISSED), (480, Timing.OVER)],
)  # fmt: skip
def test_how_a_check_in_is_taken(minutes: int, taken: Timing) -> None:
    at = START + timedelta(minutes=minutes)
    assert timing(START, RULES, grace=5, at=at, day_ends=START + timedelta(hours=8)) is taken


def test_what_is_masked() -> None:
    assert (rules.masked_name("山田花子"), rules.masked_name("李明"), rules.masked_name("")) == ("山●●●", "李●", "")
    assert rules.masked_phone("+819012345678") == "●●● 5678"
    assert rules.masked_email("taro@example.jp") == "t●●●@…"


def test_a_half_of_a_day_is_told_by_the_start_in_japan() -> None:
    noon = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
    starts = [noon - timedelta(hours=11), noon - timedelta(minutes=1), noon, noon + timedelta(hours=11)]
    suited = {half: [half.suits(start) for start in starts] for half in Half}
    assert suited == {
        Half.EITHER: [True] * 4, Half.MORNING: [True, True, False, False], Half.AFTERNOON: [False, False, True, True]
    }  # fmt: skip
    assert all((a in b.rivals) == any(a.suits(s) and b.suits(s) for s in starts) for a in Half for b in Half)
