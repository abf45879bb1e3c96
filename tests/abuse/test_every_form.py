"""Every form and every query of every screen with every broken word: refused or kept as text, never a 500.

The fields are read from the templates and the routes from the application, so that a new screen is tried as well.
On PostgreSQL, the stricter of the two about what it stores.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.roles import Role, may
from app.services import access
from app.web import security
from app.web.limits import Windows
from tests.abuse.bodies import WORDS
from tests.abuse.conftest import Hall
from tests.conftest import copy_of
from tests.policy import city, matrix
from tests.policy.callers import Kind

TEMPLATES = Path(__file__).parents[2] / "app" / "templates"
APPLICATION = city.application(Database("sqlite://"))
SCREENS = [door for door in matrix.doors(APPLICATION) if not door.rule.rule.startswith(("/api/", "/static/"))]
NEVER = ("csrf_token", "idempotency_key")


@pytest.fixture(scope="module")
def hall(postgres_server: str, postgres_template: str) -> Iterator[Hall]:
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patched, copy_of(postgres_server, postgres_template) as url:
        patched.setattr(access, "_hasher", quick)
        patched.setattr(access, "_NOBODY", quick.hash("nobody has this password"))
        found = Hall(url)
        yield found
        found.database.dispose()


def fields() -> list[str]:
    """Every literal name of a field, and every name read from a form or query."""
    code = [*TEMPLATES.parent.joinpath("web").rglob("*.py")]
    found = {name for file in TEMPLATES.rglob("*.html") for name in re.findall(r'name="([\w.\-]+)"', file.read_text())}
    read = r'(?:form|args|values)(?:\.get|\.getlist)?[\(\[]"([\w.]+)"'
    found |= {name for file in code for name in re.findall(read, file.read_text())}
    return sorted(found - set(NEVER))


FIELDS = fields()
# All fields at once must fit into one form.
FITTING = {how: word[:150] for how, word in WORDS.items()}
# For reading: one word of each sort.
SORTS = ("nul", "long", "markup", "line break", "bell", "per cent")


def kind_for(hall: Hall, door: matrix.Door) -> Kind:
    """Somebody who may open the door: staff where they can, else the machine, else anybody."""
    function = matrix.asked_of(hall.web, door, Kind("nobody"))
    if door.endpoint.startswith(matrix.BY_MACHINE):
        return Kind("device", Role.KIOSK)
    for role in (Role.FLOOR_LEAD, Role.CITY_ADMIN, Role.DEPARTMENT_ADMIN):
        if may(role, function):
            return Kind("session", role, (city.OWN, None) if role is Role.CITY_ADMIN else city.HERE)
    return Kind("nobody")


def fine(answer: TestResponse, how: str) -> bool:
    """Not a defect, no broken answer, and nothing of the word stands in the page as markup."""
    assert answer.status_code < 500, (answer.status_code, answer.text[:500])
    if answer.mimetype == "text/html":
        assert "<script>alert(1)" not in answer.text
        assert "Traceback" not in answer.text
    assert answer.headers.get("Set-Cookie", "").startswith(("x=1",)) is False
    return True


def test_the_fields_were_found() -> None:
    assert {"service", "login", "password", "code", "pin", "action", "lang"} <= set(FIELDS)


@pytest.mark.parametrize("door", [door for door in SCREENS if door.method == "POST"], ids=str)
def test_every_field_of_every_form(hall: Hall, door: matrix.Door) -> None:
    kind = kind_for(hall, door)
    for how, word in FITTING.items():
        hall.web.extensions["windows"] = Windows()
        hall.doors.forget()
        answer = hall.doors.call(kind, "POST", door.path(hall.web, hall.things), data=dict.fromkeys(FIELDS, word))
        assert fine(answer, how), how
    hall.doors.forget()
    large = hall.doors.call(kind, "POST", door.path(hall.web, hall.things), data={"label": "x" * 100_000})
    assert large.status_code == 413


@pytest.mark.parametrize("door", [door for door in SCREENS if door.method == "GET"], ids=str)
def test_every_query_of_every_screen(hall: Hall, door: matrix.Door) -> None:
    kind = kind_for(hall, door)
    for how in SORTS:
        query = dict.fromkeys(FIELDS, FITTING[how])
        answer = hall.doors.call(kind, "GET", door.path(hall.web, hall.things), query_string=query)
        assert fine(answer, how), how


@pytest.mark.parametrize("door", [door for door in SCREENS if set(door.names) & set(matrix.WORDS)], ids=str)
def test_every_word_in_every_address(hall: Hall, door: matrix.Door) -> None:
    kind = kind_for(hall, door)
    adapter = hall.web.url_map.bind("127.0.0.1")
    for how in SORTS:
        word = WORDS[how].replace("/", "")
        values = {name: door.value(name, hall.things) for name in door.names}
        for name in set(door.names) & set(matrix.WORDS):
            if "any(" in door.rule.rule.split(f":{name}>")[0].rsplit("<", 1)[-1]:
                continue
            path = adapter.build(door.endpoint, values | {name: word}, method=door.method)
            answer = hall.doors.call(kind, door.method, path)
            assert fine(answer, how), how


@pytest.mark.parametrize("door", [door for door in SCREENS if door.method == "POST"], ids=str)
def test_no_form_is_taken_without_its_token(hall: Hall, door: matrix.Door) -> None:
    """A stranger's page cannot send it: no CSRF token, or another origin."""
    before = matrix.rows_of(hall.database)
    kind = kind_for(hall, door)
    path = door.path(hall.web, hall.things)
    client = hall.web.test_client()
    if kind.how == "session":
        with client.session_transaction() as cookie:
            cookie[security.STAFF_COOKIE] = hall.doors.session(kind)
    elif kind.how == "device":
        client.set_cookie(security.DEVICE_COOKIE, hall.doors.bearer(kind))
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert client.post(path, data={"idempotency_key": "a stranger's"}, headers=headers).status_code in (401, 403)
    assert matrix.rows_of(hall.database) == before
