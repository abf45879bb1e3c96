"""Who may look at the floor, and touch what."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Municipality, Office
from app.models.ticket import Step
from tests.web.conftest import SignIn
from tests.web.lead_screen import Lead, Past, counter_of, late_moving


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR])
def test_others_have_no_lead_screen(signed_in: SignIn, role: Role) -> None:
    browser = signed_in("someone", role=role)
    assert browser.get("/lead").status_code == 403
    assert browser.get("/lead/ward/ask/counter?counter=ward-2").status_code == 403


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/lead").location.startswith("/sign-in")
    assert client.post("/lead/ward/act").status_code in (401, 403)


def test_a_lead_sees_the_own_office_alone(floor: Lead) -> None:
    assert floor.client.get("/lead?office=branch").status_code == 404
    assert Lead(floor.client, "branch").ask("counter", counter="branch-1").status_code == 404
    fields = {"action": "open", "counter": "branch-1"}
    form = floor.forms(floor.ask("counter", counter="ward-2").text)[0]
    assert floor.client.post("/lead/branch/act", data=form | fields).status_code == 404
    assert floor.client.post("/lead/branch/act", data={"csrf_token": form["csrf_token"]}).status_code == 404


def test_things_of_another_office_do_not_exist(floor: Lead, past: Past, database: Database) -> None:
    past.issue("juminhyo", 1)
    with database.transaction() as session:
        step = session.scalars(select(Step)).first()
        assert step is not None
        elsewhere = step.id
        step.office_id = "branch"
    assert floor.press(action="open", counter="branch-1").status_code == 404
    assert floor.press(action="cancel", step=elsewhere).status_code == 404
    assert floor.ask("counter", counter="branch-1").status_code == 404


def test_a_city_admin_looks_at_every_office_of_the_own_city_and_touches_nothing(
    signed_in: SignIn, past: Past, database: Database
) -> None:
    late_moving(past)
    with database.transaction() as session:
        session.add(Municipality(id="other", name={"ja": "他市"}))
        session.flush()
        session.add(Office(id="foreign", municipality_id="other", name={"ja": "他市役所"}, epoch="e"))
    city = Lead(signed_in("aoki", role=Role.CITY_ADMIN, office_id=None))
    page = city.page
    assert 'data-room="/live"' in page
    assert {form["action"] for form in city.forms(page)} == {"seen"}
    assert "見るだけです" in page
    assert 'href="/lead?office=branch"' in page
    assert city.client.get("/lead?office=branch").status_code == 200
    assert city.client.get("/lead?office=foreign").status_code == 404
    form = city.proposal(page, action="seen")
    for fields in ({"action": "open", "counter": "ward-5"}, {"action": "call-next", "counter": "ward-4"}):
        assert city.send(form | fields).status_code == 403
    assert counter_of(database, "ward-5").state == "closed"


def test_a_department_admin_opens_counters_and_calls_nobody(signed_in: SignIn, past: Past, database: Database) -> None:
    past.open("ward-2", 20)
    past.issue("juminhyo", 10)
    admin = Lead(signed_in("sato", role=Role.DEPARTMENT_ADMIN))
    assert 'data-room="/staff"' in admin.page
    assert not [form for form in admin.forms() if form["action"] == "call-next"]
    form = admin.forms(admin.ask("counter", counter="ward-3").text)[0]
    assert admin.send(form | {"action": "call-next", "counter": "ward-2", "expect": ""}).status_code == 403
    fresh = admin.forms(admin.ask("counter", counter="ward-3").text)[0]
    assert admin.send(fresh | {"profile": "ward-certificates"}).status_code == 303
    assert counter_of(database, "ward-3").state == "open"


def test_a_stranger_s_page_cannot_act(floor: Lead, web: Flask) -> None:
    form = floor.forms(floor.ask("counter", counter="ward-2").text)[0]
    bare = {name: value for name, value in form.items() if name != "csrf_token"}
    assert floor.send(bare).status_code == 403


@pytest.mark.parametrize("what", ["nothing", "transfer"])
def test_an_unknown_question(floor: Lead, what: str) -> None:
    assert floor.ask(what).status_code == 404


def test_an_unknown_act_and_an_unknown_number(floor: Lead) -> None:
    assert floor.press(action="start", step=1).status_code == 422
    answer = floor.ask("number", n="Z999")
    assert answer.status_code == 404
    assert "今日の番号に Z999 はありません" in answer.text


def test_a_name_is_never_markup(floor: Lead, past: Past) -> None:
    late_moving(past)
    past.open("ward-2", 20, staff="<b>x</b>")
    past.issue("juminhyo", 10)
    assert "<b>x</b>" not in floor.page
    assert "&lt;b&gt;x" in floor.page
