"""Two persons for city administrators: one asks, another approves, and no way around it."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import Conflict, DomainError, Forbidden, NotFound
from app.domain.roles import Role
from app.models.people import Account, Approval
from app.models.place import Municipality
from app.services import approvals, audit, people
from app.services.access import Principal
from tests.services.conftest import AT, KEY, Member, signed_in

HASH, FRESH = "hash of the first", "hash of the second"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def city(session: Session, member: Member) -> SimpleNamespace:
    return SimpleNamespace(
        aoki=member(session, Role.CITY_ADMIN, login="aoki"),
        okada=member(session, Role.CITY_ADMIN, login="okada"),
        sato=member(session, Role.CLERK, login="sato", office_id="ward"),
    )


def promote(session: Session, by: Principal, account_id: int) -> int:
    found = people.change(
        session,
        by=by,
        account_id=account_id,
        name="佐藤",
        section="",
        role="city-admin",
        office_id=None,
        at=AT,
        key=KEY,
    )
    assert found.waiting is not None
    return found.waiting.id


def approve(session: Session, by: Principal, approval_id: int) -> Approval:
    return approvals.approve(session, by=by, approval_id=approval_id, password_hash=FRESH, at=AT, key=KEY)


def refused(kind: type[DomainError], code: str, session: Session, by: Principal, approval_id: int) -> None:
    with pytest.raises(kind) as caught:
        approve(session, by, approval_id)
    assert caught.value.reason == code


def test_a_second_person_makes_a_city_administrator(session: Session, city: SimpleNamespace) -> None:
    asked = promote(session, city.aoki, city.sato.id)
    sato = session.get_one(Account, city.sato.id)
    assert sato.role == "clerk"
    refused(Forbidden, "second_person_needed", session, city.aoki, asked)
    assert sato.role == "clerk"
    approve(session, city.okada, asked)
    assert (sato.role, sato.office_id, sato.password_hash) == ("city-admin", None, "!")
    assert not signed_in(session, sato.id)
    refused(Conflict, "approval_decided", session, city.okada, asked)
    told = [entry.action for entry in reversed(audit.page(session, "aonami"))]
    assert told == ["account_changed", "approval_requested", "approval_given"]
    assert audit.verify(session, "aonami", KEY) is None


def test_a_new_city_administrator_is_closed_until_approved(session: Session, city: SimpleNamespace) -> None:
    made = people.add(
        session, by=city.aoki, login="hara", name="原", section="", role="city-admin", office_id=None,
        password_hash=HASH, at=AT, key=KEY,
    )  # fmt: skip
    assert made.waiting is not None
    # The one who asked never knows a password that works.
    assert (made.account.active, made.account.password_hash) == (False, "!")
    refused(Forbidden, "second_person_needed", session, city.aoki, made.waiting.id)
    approve(session, city.okada, made.waiting.id)
    assert (made.account.active, made.account.password_hash, made.account.must_change) == (True, FRESH, True)


def test_one_person_cannot_set_the_password_of_another_administrator(session: Session, city: SimpleNamespace) -> None:
    okada = session.get_one(Account, city.okada.id)
    asked = people.new_password(session, by=city.aoki, account_id=okada.id, password_hash=HASH, at=AT, key=KEY)
    assert asked.waiting is not None
    assert okada.password_hash == "!"
    assert signed_in(session, okada.id)
    refused(Forbidden, "second_person_needed", session, city.aoki, asked.waiting.id)
    # Nor may the account approve for itself.
    refused(Forbidden, "second_person_needed", session, city.okada, asked.waiting.id)


def test_a_third_person_lets_the_password_take_effect(session: Session, city: SimpleNamespace, member: Member) -> None:
    third = member(session, Role.CITY_ADMIN, login="third")
    asked = people.new_password(session, by=city.aoki, account_id=city.okada.id, password_hash=HASH, at=AT, key=KEY)
    assert asked.waiting is not None
    approve(session, third, asked.waiting.id)
    assert session.get_one(Account, city.okada.id).password_hash == FRESH
    assert not signed_in(session, city.okada.id)


def test_a_closed_administrator_is_not_opened_by_one(session: Session, city: SimpleNamespace, member: Member) -> None:
    third = member(session, Role.CITY_ADMIN, login="third")
    people.close(session, by=city.aoki, account_id=third.id, at=AT, key=KEY)
    asked = people.new_password(session, by=city.aoki, account_id=third.id, password_hash=HASH, at=AT, key=KEY)
    assert asked.waiting is not None
    assert not session.get_one(Account, third.id).active
    approve(session, city.okada, asked.waiting.id)
    assert session.get_one(Account, third.id).active


def test_two_tokens_are_not_two_persons(session: Session, city: SimpleNamespace) -> None:
    program = Principal(kind="token", id=7, role=Role.CITY_ADMIN, municipality_id="aonami", office_id=None)
    with pytest.raises(Forbidden) as caught:
        promote(session, program, city.sato.id)
    assert caught.value.reason == "person_required"
    asked = promote(session, city.aoki, city.sato.id)
    refused(Forbidden, "person_required", session, program, asked)


def test_the_database_itself_wants_two(session: Session, city: SimpleNamespace) -> None:
    alone = Approval(
        municipality_id="aonami", account_id=city.sato.id, act="grant", requested_by=city.aoki.id, requested_at=AT,
        decided_by=city.aoki.id, decided_at=AT, approved=True,
    )  # fmt: skip
    point = session.begin_nested()
    session.add(alone)
    with pytest.raises(IntegrityError, match="two_persons"):
        session.flush()
    point.rollback()


def test_only_city_administrators_of_the_same_city_decide(
    session: Session, city: SimpleNamespace, member: Member
) -> None:
    asked = promote(session, city.aoki, city.sato.id)
    session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={}))
    session.flush()
    stranger = member(session, Role.CITY_ADMIN, login="yoso", city="other")
    refused(NotFound, "not_found", session, stranger, asked)
    assert approvals.waiting(session, stranger, at=AT) == []
    refused(Forbidden, "forbidden", session, member(session, Role.AUDITOR, login="audit"), asked)
    with pytest.raises(NotFound):
        approvals.decline(session, by=stranger, approval_id=asked, at=AT, key=KEY)


def test_a_request_is_taken_back_and_void_after_a_week(session: Session, city: SimpleNamespace) -> None:
    asked = promote(session, city.aoki, city.sato.id)
    with pytest.raises(Conflict) as caught:
        promote(session, city.okada, city.sato.id)
    assert caught.value.reason == "approval_waiting"
    approvals.decline(session, by=city.aoki, approval_id=asked, at=AT, key=KEY)
    refused(Conflict, "approval_decided", session, city.okada, asked)
    again = promote(session, city.aoki, city.sato.id)
    late = AT + approvals.VALID
    assert [each.id for each in approvals.waiting(session, city.okada, at=late - timedelta(seconds=1))] == [again]
    assert approvals.waiting(session, city.okada, at=late) == []
    with pytest.raises(Conflict):
        approvals.approve(session, by=city.okada, approval_id=again, password_hash=FRESH, at=late, key=KEY)


def test_what_was_asked_falls_with_the_account(session: Session, city: SimpleNamespace) -> None:
    asked = promote(session, city.aoki, city.sato.id)
    people.close(session, by=city.okada, account_id=city.sato.id, at=AT, key=KEY)
    refused(Conflict, "approval_decided", session, city.okada, asked)
    assert session.get_one(Account, city.sato.id).role == "clerk"


def test_which_acts_hand_out_a_password() -> None:
    assert [approvals.sets_password(act) for act in approvals.Act] == [False, True, True]
