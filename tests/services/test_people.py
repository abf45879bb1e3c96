"""Staff accounts: who may change what of whom, and what is written down about it."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound
from app.domain.roles import Role
from app.models.people import Account, SignInAttempt
from app.models.place import Counter, Municipality, Office
from app.services import accounts, audit, people
from app.services.access import Principal
from tests.services.conftest import AT, KEY, Member, principal_of, signed_in

HASH = "$argon2id$of-a-one-time-password"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def city(session: Session, member: Member) -> SimpleNamespace:
    """Two city administrators and a clerk."""
    return SimpleNamespace(
        aoki=member(session, Role.CITY_ADMIN, login="aoki"),
        okada=member(session, Role.CITY_ADMIN, login="okada"),
        sato=member(session, Role.CLERK, login="sato", office_id="ward"),
    )


def add(session: Session, by: Principal, **given: Any) -> people.Outcome:
    facts: dict[str, Any] = {
        "login": "tanaka", "name": "田中 美咲", "section": "市民課", "role": "clerk", "office_id": "ward"
    }  # fmt: skip
    return people.add(session, by=by, password_hash=HASH, at=AT, key=KEY, **(facts | given))


def change(session: Session, by: Principal, account_id: int, **given: Any) -> people.Outcome:
    facts: dict[str, Any] = {"name": "佐藤", "section": "", "role": "clerk", "office_id": "ward"}
    return people.change(session, by=by, account_id=account_id, at=AT, key=KEY, **(facts | given))


def reason(caught: pytest.ExceptionInfo[DomainError]) -> str:
    return caught.value.reason


def log(session: Session) -> list[tuple[str, str]]:
    """(action, subject), oldest first; the chain always holds."""
    assert audit.verify(session, "aonami", KEY) is None
    return [(entry.action, entry.subject) for entry in reversed(audit.page(session, "aonami"))]


def test_a_new_account_must_change_its_password(session: Session, city: SimpleNamespace) -> None:
    made = add(session, city.aoki, login=" ＴＡＮＡＫＡ ", name="田中  美咲 ").account
    assert (made.login, made.name, made.active, made.must_change) == ("tanaka", "田中 美咲", True, True)
    assert made.password_hash == HASH
    assert log(session) == [("account_added", f"account:{made.id}")]
    entry = audit.page(session, "aonami")[0]
    assert (entry.actor, entry.details["office"], entry.details["after"]["role"]) == (
        f"staff:{city.aoki.id}", "ward", "clerk",
    )  # fmt: skip
    assert HASH not in str(entry.details)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"login": "x"}, "bad_login", "login"),
        ({"login": "田中"}, "bad_login", "login"),
        ({"login": "a b"}, "bad_login", "login"),
        ({"name": "  "}, "empty", "name"),
        ({"name": "あ" * 41}, "too_long", "name"),
        ({"name": "a\u202eb"}, "bad_text", "name"),
        ({"section": "a\x00b"}, "bad_text", "section"),
        ({"role": "kiosk"}, "unknown_role", "role"),
        ({"role": "mayor"}, "unknown_role", "role"),
        ({"office_id": None}, "office_required", "office"),
    ],
)
def test_what_cannot_be_an_account(
    session: Session, city: SimpleNamespace, given: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        add(session, city.aoki, **given)
    assert (reason(caught), caught.value.values["field"]) == (code, field)
    assert log(session) == []


def test_a_login_is_given_once_even_after_closing(session: Session, city: SimpleNamespace) -> None:
    made = add(session, city.aoki).account
    people.close(session, by=city.aoki, account_id=made.id, at=AT, key=KEY)
    with pytest.raises(Conflict) as caught:
        add(session, city.aoki)
    assert reason(caught) == "login_taken"


def test_nobody_but_a_city_administrator(session: Session, city: SimpleNamespace, member: Member) -> None:
    nishimura = member(session, Role.DEPARTMENT_ADMIN, login="nishimura", office_id="ward")
    for who in (city.sato, nishimura, member(session, Role.AUDITOR, login="audit")):
        with pytest.raises(Forbidden):
            add(session, who)
        with pytest.raises(Forbidden):
            change(session, who, city.sato.id)
        with pytest.raises(Forbidden):
            people.close(session, by=who, account_id=city.sato.id, at=AT, key=KEY)
        with pytest.raises(Forbidden):
            people.new_password(session, by=who, account_id=city.sato.id, password_hash=HASH, at=AT, key=KEY)
        with pytest.raises(Forbidden):
            people.listed(session, who, at=AT)


def test_another_municipality_is_absent(session: Session, city: SimpleNamespace, member: Member) -> None:
    session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={}))
    session.flush()
    session.add(Office(id="elsewhere", municipality_id="other", name={"ja": "よそ"}, epoch="1"))
    session.flush()
    stranger = member(session, Role.CITY_ADMIN, login="yoso", city="other")
    with pytest.raises(NotFound):
        change(session, stranger, city.sato.id)
    with pytest.raises(NotFound):
        people.close(session, by=stranger, account_id=city.sato.id, at=AT, key=KEY)
    with pytest.raises(NotFound):
        people.new_password(session, by=stranger, account_id=city.sato.id, password_hash=HASH, at=AT, key=KEY)
    with pytest.raises(NotFound):
        add(session, city.aoki, office_id="elsewhere")
    with pytest.raises(NotFound):
        change(session, city.aoki, city.sato.id, office_id="elsewhere")
    assert [row.account.login for row in people.listed(session, stranger, at=AT)] == ["yoso"]


def test_a_new_role_or_office_ends_every_session(session: Session, city: SimpleNamespace) -> None:
    change(session, city.aoki, city.sato.id, name="佐藤 由美子")
    assert signed_in(session, city.sato.id)
    change(session, city.aoki, city.sato.id, role="floor-lead")
    assert not signed_in(session, city.sato.id)
    entry = audit.page(session, "aonami")[0]
    assert (entry.details["before"]["role"], entry.details["after"]["role"]) == ("clerk", "floor-lead")
    assert [action for action, _ in log(session)] == ["account_changed"] * 2
    # Saved again without a change: nothing to write down.
    change(session, city.aoki, city.sato.id, role="floor-lead")
    assert len(log(session)) == 2


def test_closing_ends_every_session(session: Session, city: SimpleNamespace) -> None:
    people.close(session, by=city.aoki, account_id=city.sato.id, at=AT, key=KEY)
    assert not session.get_one(Account, city.sato.id).active
    assert not signed_in(session, city.sato.id)
    people.close(session, by=city.aoki, account_id=city.sato.id, at=AT, key=KEY)
    assert log(session) == [("account_closed", f"account:{city.sato.id}")]


def test_a_new_password_ends_every_session_and_opens_a_closed_account(session: Session, city: SimpleNamespace) -> None:
    sato = session.get_one(Account, city.sato.id)
    people.new_password(session, by=city.aoki, account_id=sato.id, password_hash=HASH, at=AT, key=KEY)
    assert (sato.password_hash, sato.must_change) == (HASH, True)
    assert not signed_in(session, sato.id)
    people.close(session, by=city.aoki, account_id=sato.id, at=AT, key=KEY)
    people.new_password(session, by=city.aoki, account_id=sato.id, password_hash="new", at=AT, key=KEY)
    assert (sato.active, sato.password_hash) == (True, "new")
    assert [action for action, _ in log(session)] == ["password_reset", "account_closed", "account_opened"]


def test_nobody_changes_the_own_rights(session: Session, city: SimpleNamespace) -> None:
    own = city.aoki.id
    for act in (
        lambda: change(session, city.aoki, own, role="clerk"),
        lambda: change(session, city.aoki, own, role="auditor", office_id=None),
        lambda: people.close(session, by=city.aoki, account_id=own, at=AT, key=KEY),
        lambda: people.new_password(session, by=city.aoki, account_id=own, password_hash=HASH, at=AT, key=KEY),
    ):
        with pytest.raises(Forbidden) as caught:
            act()
        assert reason(caught) == "not_your_own"
    # The own name is no right.
    assert change(session, city.aoki, own, name="青木 航", role="city-admin").waiting is None
    assert session.get_one(Account, own).name == "青木 航"


def test_the_last_city_administrator_stays(session: Session, city: SimpleNamespace) -> None:
    change(session, city.aoki, city.okada.id, role="auditor", office_id=None)
    by = people.command_line("aonami")
    for act in (
        lambda: people.close(session, by=by, account_id=city.aoki.id, at=AT, key=KEY),
        lambda: change(session, by, city.aoki.id, role="clerk"),
    ):
        with pytest.raises(Conflict) as caught:
            act()
        assert reason(caught) == "last_city_admin"


def test_the_machine_itself_needs_no_second_person(session: Session) -> None:
    by = people.command_line("aonami")
    made = add(session, by, role="city-admin", office_id="ward")
    assert (made.waiting, made.account.active, made.account.office_id) == (None, True, None)
    again = people.new_password(session, by=by, account_id=made.account.id, password_hash="new", at=AT, key=KEY)
    assert (again.waiting, made.account.password_hash) == (None, "new")
    assert audit.page(session, "aonami")[0].actor == "command:0"


def test_the_list_says_who_sits_where(session: Session, city: SimpleNamespace) -> None:
    counter = session.get_one(Counter, "ward-3")
    counter.staff_id, counter.state = city.sato.id, "open"
    people.close(session, by=city.aoki, account_id=city.okada.id, at=AT, key=KEY)
    rows = {row.account.login: row for row in people.listed(session, city.aoki, at=AT)}
    assert (rows["sato"].counter, rows["sato"].signed_in) == (counter.number, True)
    assert (rows["okada"].counter, rows["okada"].signed_in) == (None, False)
    assert list(rows)[-1] == "okada"
    add(session, city.aoki)
    found = people.listed(session, city.aoki, search="市民課　田中", at=AT)
    assert [row.account.login for row in found] == ["tanaka"]
    assert people.listed(session, city.aoki, search="%", at=AT) == []


def test_a_clerk_made_city_administrator_by_one_person_stays_a_clerk(session: Session, city: SimpleNamespace) -> None:
    asked = change(session, city.aoki, city.sato.id, name="佐藤 由美子", role="city-admin")
    sato = session.get_one(Account, city.sato.id)
    assert (sato.role, sato.office_id, sato.name) == ("clerk", "ward", "佐藤 由美子")
    assert asked.waiting is not None
    with pytest.raises(Forbidden):
        add(session, principal_of(sato))


def test_wrong_tries_are_counted_and_lifted(session: Session, city: SimpleNamespace, member: Member) -> None:
    for ago in (0, 1, 299, 301):
        at = AT - timedelta(seconds=ago)
        session.add(SignInAttempt(subject=accounts.subject_of("sato", f"10.0.0.{ago % 7}"), at=at))
    session.add(SignInAttempt(subject="pair:staff:1", at=AT))
    session.flush()
    assert people.slowed(session, city.aoki, at=AT) == {city.sato.id: 3}
    with pytest.raises(Forbidden):
        people.slowed(session, member(session, Role.AUDITOR, login="audit"), at=AT)
    people.lift(session, by=city.aoki, account_id=city.sato.id, at=AT, key=KEY)
    assert people.slowed(session, city.aoki, at=AT) == {}
    assert session.scalar(select(SignInAttempt.subject)) == "pair:staff:1"
    assert log(session) == [("tries_lifted", f"account:{city.sato.id}")]
