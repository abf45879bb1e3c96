"""The guide's rules: what answers come to, and a code that stands for them and for nothing else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound
from app.domain.guide import (
    LETTERS,
    UNKNOWN,
    Guide,
    GuideStep,
    LifeEvent,
    Query,
    last_day,
    minutes,
    normal_code,
    spaced,
)
from app.domain.visit import Stop
from app.domain.wait import Range

INSURANCE = Query(id="insurance", answers=("city", "work"))
QUERIES = (Query(id="card"), INSURANCE, Query(id="children"))


def step(service: str, question: str | None = None, *answers: str) -> GuideStep:
    return GuideStep(service=service, question=question, answers=frozenset(answers))


MOVE = LifeEvent(
    id="move", asks_day=True,
    steps=(step("notify"), step("card", "card", "yes"), step("insure", "insurance", "city"), step("notify")),
)  # fmt: skip
BIRTH = LifeEvent(id="birth", steps=(step("birth"), step("allowance", "children", "yes")))
GUIDE = Guide((MOVE, BIRTH), QUERIES)


def test_an_answer_adds_its_procedure_and_no_other() -> None:
    assert GUIDE.services(MOVE, {"card": "yes", "insurance": "work"}) == ["notify", "card"]
    assert GUIDE.services(MOVE, {"card": "no", "insurance": "city"}) == ["notify", "insure"]


def test_not_knowing_is_never_a_dead_end() -> None:
    everything = ["notify", "card", "insure"]
    assert GUIDE.services(MOVE, {}) == everything
    assert GUIDE.services(MOVE, {"card": UNKNOWN, "insurance": UNKNOWN}) == everything


def test_only_what_the_event_asks_is_asked_and_kept() -> None:
    assert [query.id for query in GUIDE.queries(MOVE)] == ["card", "insurance"]
    assert GUIDE.known(MOVE, {"card": "maybe", "insurance": "city", "children": "yes", "name": "x"}) == {
        "insurance": "city"
    }


def _answers(event: LifeEvent) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({query.id: st.sampled_from(query.all) for query in GUIDE.queries(event)})


@given(data=st.data(), event=st.sampled_from([MOVE, BIRTH]))
def test_a_code_reads_back_what_was_answered(data: st.DataObject, event: LifeEvent) -> None:
    answers = data.draw(_answers(event))
    code = GUIDE.code(event, answers)
    assert len(code) % 3 == 0
    assert set(code) <= set(LETTERS)
    assert GUIDE.read(code) == (event, answers)
    assert GUIDE.read(f" {spaced(code).lower()} ") == (event, answers)


def test_different_answers_have_different_codes() -> None:
    codes = {
        GUIDE.code(MOVE, {"card": card, "insurance": insurance})
        for card in QUERIES[0].all
        for insurance in INSURANCE.all
    }
    assert len(codes) == 9


@pytest.mark.parametrize("wrong", ["", "ABC", "AAAAAA", "A" * 60, "OI0OI0", "日本語", "../../", "000000"])
def test_what_is_no_code_is_refused(wrong: str) -> None:
    with pytest.raises(NotFound):
        GUIDE.read(wrong)


def test_one_wrong_letter_is_refused_almost_always() -> None:
    code = GUIDE.code(MOVE, {})
    wrong = [code[:at] + letter + code[at + 1 :] for at in range(len(code)) for letter in LETTERS if letter != code[at]]

    def accepted(text: str) -> bool:
        try:
            return bool(GUIDE.read(text))
        except NotFound:
            return False

    # Twelve check bits: one slip in four thousand passes; more would mean the check is not looked at.
    assert sum(accepted(text) for text in wrong) <= 2


def test_a_code_of_another_edition_is_refused() -> None:
    code = GUIDE.code(BIRTH, {"children": "yes"})
    other = Guide((MOVE, BIRTH), (Query(id="card"), Query(id="insurance", answers=("city", "none")), QUERIES[2]))
    with pytest.raises(NotFound):
        other.read(code)


def test_a_code_is_read_as_people_type_it() -> None:
    assert normal_code(" m7k-2q4　") == "M7K2Q4"
    assert spaced("M7K2Q4") == "M7K 2Q4"


def test_the_last_day_counts_from_the_day_after() -> None:
    assert last_day(date(2026, 3, 27), 14) == date(2026, 4, 10)


def test_minutes_hold_hearings_and_what_is_made_behind_the_counters() -> None:
    assert minutes([]) is None
    one = minutes([Stop(wait=Range(0, 0), accept=15, back=20, deliver=5)])
    assert one is not None
    assert one.low == 20
    assert one.high >= 40
