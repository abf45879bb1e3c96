"""Pairing: a code works once and for ten minutes, the token is delivered once, and can be taken away."""

import random
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, TooMany
from app.domain.roles import Role
from app.models.people import AccessToken, Pairing
from app.models.place import Municipality
from app.services import access, audit, devices
from app.services.access import Principal
from app.services.devices import Health
from tests.services.conftest import AT, KEY, Member

LATER = AT + devices.CODE_LASTS


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def who(session: Session, member: Member) -> SimpleNamespace:
    return SimpleNamespace(
        city=member(session, Role.CITY_ADMIN, login="aoki"),
        ward=member(session, Role.DEPARTMENT_ADMIN, login="nishimura", office_id="ward"),
        branch=member(session, Role.DEPARTMENT_ADMIN, login="minato", office_id="branch"),
    )


def show(
    session: Session, device: str = "board", *, code: str = "418206", at: Any = AT, address: str = "10.0.0.1"
) -> str:
    return devices.show_code(session, device=device, draw=lambda: code, address=address, at=at).code


def claim(session: Session, by: Principal, code: str = "418206", **given: Any) -> AccessToken:
    facts: dict[str, Any] = {
        "role": "display", "office_id": "ward", "hall_id": "ward-citizen", "label": "表示板1", "at": AT
    }  # fmt: skip
    return devices.claim(session, by=by, code=code, key=KEY, **(facts | given))


def refused(kind: type[DomainError], reason: str, session: Session, by: Principal, /, *given: Any, **more: Any) -> None:
    with pytest.raises(kind) as caught:
        claim(session, by, *given, **more)
    assert caught.value.reason == reason


def deliver(session: Session, device: str = "board", *, token: str = "secret of the board") -> AccessToken:
    return devices.deliver(session, device=device, token=token, at=AT)


def test_a_device_is_paired_and_gets_its_token_once(session: Session, who: SimpleNamespace) -> None:
    assert show(session) == "418206"
    assert devices.claimed(session, "board", at=AT) is False
    row = claim(session, who.ward, "４１８ 206")
    assert devices.claimed(session, "board", at=AT) is True
    # Nobody holds the token before the device fetched it.
    assert row.token_hash.startswith("undelivered:")
    assert access.by_bearer(session, row.token_hash) is None
    assert deliver(session).id == row.id
    found = access.by_bearer(session, "secret of the board")
    assert found is not None
    assert (found.role, found.office_id, found.hall_id, found.id) == (Role.DISPLAY, "ward", "ward-citizen", row.id)
    with pytest.raises(NotFound):
        deliver(session, token="a second one")
    assert devices.claimed(session, "board", at=AT) is None
    entry = audit.page(session, "aonami")[0]
    assert (entry.action, entry.subject, entry.details["from"]) == ("device_paired", f"device:{row.id}", "10.0.0.1")
    assert audit.verify(session, "aonami", KEY) is None


def test_a_device_keeps_its_code_until_it_ends(session: Session, who: SimpleNamespace) -> None:
    assert show(session) == "418206"
    assert show(session, code="111111", at=LATER - timedelta(seconds=1)) == "418206"
    assert show(session, code="111111", at=LATER) == "111111"


def test_a_code_works_once(session: Session, who: SimpleNamespace) -> None:
    show(session)
    claim(session, who.ward)
    refused(InvalidInput, "code_unknown", session, who.ward)
    deliver(session)
    refused(InvalidInput, "code_unknown", session, who.ward)


def test_a_code_ends_after_ten_minutes(session: Session, who: SimpleNamespace) -> None:
    show(session)
    refused(InvalidInput, "code_unknown", session, who.ward, at=LATER)
    assert devices.claimed(session, "board", at=LATER) is None


def test_a_token_that_was_never_fetched_ends_with_its_code(session: Session, who: SimpleNamespace) -> None:
    show(session)
    row = claim(session, who.ward)
    with pytest.raises(NotFound):
        devices.deliver(session, device="board", token="too late", at=LATER)
    show(session, "another", code="222222", at=LATER)
    session.refresh(row)
    assert row.revoked_at == LATER


def test_nothing_is_delivered_before_the_claim(session: Session) -> None:
    show(session)
    for device in ("board", "a stranger"):
        with pytest.raises(NotFound):
            deliver(session, device)


def test_a_device_gets_only_its_own_token(session: Session, who: SimpleNamespace) -> None:
    show(session)
    show(session, "other", code="555555")
    claim(session, who.ward)
    assert devices.claimed(session, "other", at=AT) is False
    with pytest.raises(NotFound):
        deliver(session, "other")


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        ({"code": "41820"}, InvalidInput, "bad_code"),
        ({"code": "4182067"}, InvalidInput, "bad_code"),
        ({"code": "४१८२०६"}, InvalidInput, "bad_code"),
        ({"code": "41820a"}, InvalidInput, "bad_code"),
        ({"code": "000000"}, InvalidInput, "code_unknown"),
        ({"role": "clerk"}, InvalidInput, "unknown_role"),
        ({"role": "city-admin"}, InvalidInput, "unknown_role"),
        ({"label": " "}, InvalidInput, "empty"),
        ({"label": "x" * 31}, InvalidInput, "too_long"),
        ({"office_id": "nowhere"}, NotFound, "not_found"),
        ({"hall_id": "branch-main"}, NotFound, "not_found"),
        ({"hall_id": "nowhere"}, NotFound, "not_found"),
        ({"counter_id": "nowhere"}, NotFound, "not_found"),
        ({"counter_id": "branch-1", "hall_id": None}, NotFound, "not_found"),
        ({"counter_id": "ward-2", "hall_id": "ward-tax"}, NotFound, "not_found"),
        ({"counter_id": "ward-2", "role": "kiosk"}, InvalidInput, "not_at_a_counter"),
    ],
)
def test_what_cannot_be_paired(
    session: Session, who: SimpleNamespace, given: dict[str, Any], kind: type[DomainError], code: str
) -> None:
    show(session)
    refused(kind, code, session, who.city, **given)
    assert claim(session, who.city).label == "表示板1"


def test_guessing_is_limited_by_caller(session: Session, who: SimpleNamespace) -> None:
    show(session)
    for _ in range(5):
        refused(InvalidInput, "code_unknown", session, who.ward, "000000")
        devices.note_wrong_code(session, who.ward, at=AT)
        session.flush()
    refused(TooMany, "sign_in_slowed", session, who.ward)
    # Somebody else is not held up, and neither is this one five minutes later.
    assert claim(session, who.city)
    show(session, "second", code="333333")
    assert claim(session, who.ward, "333333", at=AT + timedelta(minutes=6))


def test_codes_are_not_given_without_end(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_MOST_OF_ADDRESS", 3)
    monkeypatch.setattr(devices, "_MOST_CODES", 5)
    draw = iter(range(100_000, 999_999))
    for address, most in (("10.0.0.1", 3), ("10.0.0.2", 2)):
        for number in range(most):
            show(session, f"{address} {number}", code=str(next(draw)), address=address)
        with pytest.raises(TooMany):
            show(session, f"{address} more", code=str(next(draw)), address=address)
    # A device that has a code is still answered.
    assert show(session, "10.0.0.1 0") == "100000"


def test_a_code_that_is_out_is_not_given_again(session: Session) -> None:
    show(session, "one", code="123456")
    drawn = iter(["123456", "123456", "654321"])
    assert devices.show_code(session, device="two", draw=lambda: next(drawn), address="", at=AT).code == "654321"


def test_only_within_reach(session: Session, who: SimpleNamespace, member: Member) -> None:
    show(session)
    refused(NotFound, "not_found", session, who.branch)
    refused(Forbidden, "forbidden", session, member(session, Role.CLERK, login="sato", office_id="ward"))
    row = claim(session, who.ward)
    session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={}))
    session.flush()
    stranger = member(session, Role.CITY_ADMIN, login="yoso", city="other")
    for by in (who.branch, stranger):
        assert devices.listed(session, by, at=AT) == []
        with pytest.raises(NotFound):
            devices.revoke(session, by=by, token_id=row.id, at=AT, key=KEY)
        with pytest.raises(NotFound):
            devices.change(session, by=by, token_id=row.id, label="x", hall_id=None, at=AT, key=KEY)
    assert [each.token.id for each in devices.listed(session, who.city, at=AT)] == [row.id]
    # A program of the whole city is not a department's to take away.
    program = access.issue_token(session, token="p" * 20, role=Role.AUDITOR, municipality_id="aonami", at=AT)
    with pytest.raises(NotFound):
        devices.revoke(session, by=who.ward, token_id=program.id, at=AT, key=KEY)
    assert devices.revoke(session, by=who.city, token_id=program.id, at=AT, key=KEY).revoked_at == AT


def test_a_device_is_renamed_moved_and_revoked(session: Session, who: SimpleNamespace) -> None:
    show(session)
    row = claim(session, who.ward)
    deliver(session)
    given: dict[str, Any] = {"token_id": row.id, "at": AT, "key": KEY}
    devices.change(session, by=who.ward, label="表示板2", hall_id=None, **given)
    devices.change(session, by=who.ward, label="表示板2", hall_id=None, **given)
    assert (row.label, row.hall_id) == ("表示板2", None)
    for wrong, kind in (({"label": ""}, InvalidInput), ({"hall_id": "branch-main"}, NotFound)):
        with pytest.raises(kind):
            devices.change(session, by=who.ward, **({"label": "x", "hall_id": None} | given | wrong))
    devices.revoke(session, by=who.ward, **given)
    assert access.by_bearer(session, "secret of the board") is None
    assert devices.listed(session, who.ward, at=AT) == []
    for act in (devices.revoke, lambda *a, **k: devices.change(*a, label="x", hall_id=None, **k)):
        with pytest.raises(Conflict) as caught:
            act(session, by=who.ward, **given)
        assert caught.value.reason == "device_revoked"
    assert [entry.action for entry in audit.page(session, "aonami")] == [
        "device_revoked", "device_changed", "device_paired",
    ]  # fmt: skip


def test_revoked_before_it_was_delivered(session: Session, who: SimpleNamespace) -> None:
    show(session)
    row = claim(session, who.ward)
    devices.revoke(session, by=who.ward, token_id=row.id, at=AT, key=KEY)
    with pytest.raises(NotFound):
        deliver(session)
    assert show(session, code="777777") == "777777"


def test_trouble_stands_first(session: Session, who: SimpleNamespace) -> None:
    ages = {"fine": 15, "late": 16, "also late": 30, "silent": 31}
    rows = {}
    for name, age in ages.items():
        row = access.issue_token(
            session,
            token=f"token {name}",
            role=Role.DISPLAY,
            municipality_id="aonami",
            office_id="ward",
            at=AT,
            label=name,
        )
        devices.heard(session, {row.id: AT - timedelta(seconds=age)})
        rows[name] = row.id
    access.issue_token(session, token="never heard", role=Role.KIOSK, municipality_id="aonami", at=AT, label="never")
    session.expire_all()
    found = [(each.token.label, each.health, each.age) for each in devices.listed(session, who.city, at=AT)]
    assert found == [
        ("silent", Health.SILENT, 31), ("also late", Health.LATE, 30), ("late", Health.LATE, 16),
        ("fine", Health.FINE, 15), ("never", Health.NEVER, None),
    ]  # fmt: skip
    # An older word from another process does not turn time back.
    devices.heard(session, {rows["fine"]: AT - timedelta(hours=1)})
    session.expire_all()
    assert devices.listed(session, who.city, at=AT)[3].age == 15


def test_many_codes_of_chance_are_all_different(session: Session) -> None:
    chance = random.Random(3)
    for number in range(30):
        devices.show_code(session, device=f"d{number}", draw=lambda: f"{chance.randrange(50):06d}", address="", at=AT)
    assert len(set(session.scalars(select(Pairing.code)))) == 30


def test_a_display_above_a_counter_stands_in_its_hall(session: Session, who: SimpleNamespace) -> None:
    show(session)
    row = claim(session, who.ward, hall_id=None, counter_id="ward-2")
    assert (row.hall_id, row.counter_id) == ("ward-citizen", "ward-2")
    given = {"token_id": row.id, "at": AT, "key": KEY, "label": "表示板1"}
    devices.change(session, by=who.ward, hall_id=None, counter_id="ward-3", **given)
    assert (row.hall_id, row.counter_id) == ("ward-citizen", "ward-3")
    devices.change(session, by=who.ward, hall_id="ward-tax", **given)
    assert (row.hall_id, row.counter_id) == ("ward-tax", None)
