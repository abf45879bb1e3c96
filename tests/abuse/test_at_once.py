"""Equal requests at the same instant, through the real server: one effect, and one answer for all."""

import threading
import uuid
from collections.abc import Iterator

import httpx
import pytest

from app.domain.roles import Role
from tests.abuse.conftest import Hall
from tests.hall_server import serving
from tests.policy.callers import Kind

TIMES = 5


@pytest.fixture(scope="module")
def address(shared_url: str) -> Iterator[str]:
    with serving(shared_url) as found:
        yield found


def at_once(address: str, path: str, body: str, headers: dict[str, str]) -> list[httpx.Response]:
    """The same request five times, begun together."""
    answers: list[httpx.Response] = []
    begin = threading.Barrier(TIMES)

    def send() -> None:
        begin.wait()
        answers.append(httpx.post(f"{address}/api/v1{path}", content=body, headers=headers, timeout=60))

    threads = [threading.Thread(target=send) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def headers_of(bearer: str | None = None) -> dict[str, str]:
    found = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    return found | ({"Authorization": f"Bearer {bearer}"} if bearer else {})


@pytest.mark.parametrize("turn", range(3))
def test_one_ticket_for_five_equal_requests(address: str, turn: int) -> None:
    answers = at_once(address, "/offices/ward/tickets", '{"services":["juminhyo"]}', headers_of())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1


def test_one_call_for_five_equal_presses(address: str, hall: Hall) -> None:
    lead = hall.doors.bearer(Kind("bearer", Role.FLOOR_LEAD))
    opening = '{"categories":["ward-certificates"]}'
    counter = hall.things.counter.replace("-1", "-2")
    opened = at_once(address, f"/counters/{counter}/open", opening, headers_of(lead))
    assert {answer.status_code for answer in opened} == {200}
    called = at_once(address, f"/counters/{counter}/call-next", "{}", headers_of(lead))
    assert {answer.status_code for answer in called} == {200}, [answer.text for answer in called]
    assert len({answer.text for answer in called}) == 1
    step = called[0].json()["step"]["id"]
    started = at_once(address, f"/steps/{step}/start", "{}", headers_of(lead))
    assert {(answer.status_code, answer.text) for answer in started} == {(200, started[0].text)}


def test_five_keys_for_one_party(address: str, hall: Hall) -> None:
    """Five presses that are five acts: one is done, the others are told the state."""
    lead = hall.doors.bearer(Kind("bearer", Role.FLOOR_LEAD))
    answers: list[int] = []
    begin = threading.Barrier(TIMES)

    def send() -> None:
        begin.wait()
        path = f"{address}/api/v1/steps/{hall.things.step}/miss"
        answers.append(httpx.post(path, content="{}", headers=headers_of(lead), timeout=60).status_code)

    threads = [threading.Thread(target=send) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409]
