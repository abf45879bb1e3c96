"""The matrix itself: every route with every caller, and what app/domain/roles.py says must come of it."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import AnyConverter, IntegerConverter, Rule
from werkzeug.test import TestResponse

from app.db.base import Base
from app.db.session import Database
from app.domain.errors import DomainError, Forbidden, Unauthenticated
from app.domain.roles import Function, may
from app.models.place import Office
from app.web import security
from tests.policy import city
from tests.policy.callers import OF_THE_CITY, Doors, Kind, everyone

# Public doors where a known caller must have the function too (a board takes no number), with what they need.
TAKES: dict[str, dict[str, Any]] = {
    "api_tickets.issue": {"json": {"services": ["juminhyo"]}},
    "resident.taken": {"data": {"service": "juminhyo"}},
    "kiosk.taken": {"data": {"p": "juminhyo"}},
}
# The same, where what is taken is a slot.
BOOKS: dict[str, dict[str, Any]] = {
    "api_slots.hold": {"json": {"services": ["tennyu"], "start": "2026-05-01T10:00:00+09:00"}},
}
# What a door needs to read its body at all, so that the thing itself is what is refused.
BODIES: dict[str, dict[str, Any]] = {
    "api_counters.call": {"json": {"number": "A001"}},
    "api_desk.undo": {"json": {"step": 1, "action": "call"}},
    "api_desk.miss_next": {"json": {"step": 1}},
}
# Beside the kiosk's glass whoever is signed in on its browser is nobody: the machine is the caller.
BY_MACHINE = "kiosk."
# Names in addresses that name a thing of an office: (one of the ward office, one that is nowhere).
THINGS = frozenset({"office", "counter", "step", "account", "approval", "token", "ticket", "hall", "number"})
# All other names: a value that the route knows.
WORDS = {
    "report": "days",
    "action": "start", "kind": "kiosk", "purpose": "juminhyo", "day": "2026-05-01", "rule": "r", "closure": "c",
    "name": "n", "what": "transfer", "act": "cancel", "verdict": "approve",
    "event": "move_in", "code": "M7K2Q4", "filename": "css/board.css",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """A route and a method of it."""

    rule: Rule
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    @property
    def endpoint(self) -> str:
        return str(self.rule.endpoint)

    @property
    def names(self) -> list[str]:
        return sorted(self.rule.arguments - (self.rule.defaults or {}).keys())

    def path(self, web: Flask, things: city.Things, *, nowhere: bool = False) -> str:
        """An address of this route; ``nowhere``: it names what does not exist."""
        values = {name: self.value(name, things, nowhere=nowhere) for name in self.names} | dict(
            self.rule.defaults or {}
        )
        built: str = web.url_map.bind("127.0.0.1").build(self.endpoint, values, method=self.method)
        return built

    def value(self, name: str, things: city.Things, *, nowhere: bool = False) -> Any:
        """What stands in the place of a name."""
        converter = self.rule._converters[name]
        if name in WORDS:
            return sorted(converter.items)[0] if isinstance(converter, AnyConverter) else WORDS[name]
        number = isinstance(converter, IntegerConverter)
        if nowhere:
            return 2_000_000_000 if number else "nowhere"
        if name == "token":
            return things.device if number else things.ticket
        if name == "ticket":
            return things.ticket_id
        return {"office": "ward", "hall": "ward-citizen"}.get(name) or getattr(things, name)


def doors(web: Flask) -> list[Door]:
    """Every route and method of the application, in a fixed order."""
    rules = [(rule, set(rule.methods or ()) - {"HEAD", "OPTIONS"}) for rule in web.url_map.iter_rules()]
    return sorted((Door(rule, method) for rule, methods in rules for method in methods), key=str)


def asked_of(web: Flask, door: Door, kind: Kind) -> Function:
    """The function a caller of this kind needs at this door."""
    function = security.policy_of(web.view_functions[door.endpoint])
    if door.endpoint in TAKES and kind.role and not as_nobody(door, kind):
        return Function.TAKE_TICKET
    if door.endpoint in BOOKS and kind.role and not as_nobody(door, kind):
        return Function.BOOK
    return function


def as_nobody(door: Door, kind: Kind) -> bool:
    return kind.role is None or (kind.how == "session" and door.endpoint.startswith(BY_MACHINE))


def expected(web: Flask, door: Door, kind: Kind) -> set[str]:
    """``in``, ``sign in`` or ``forbidden``; a screen may ask a program or device that has the function for a person."""
    function = asked_of(web, door, kind)
    if function is Function.PUBLIC:
        return {"in"}
    if as_nobody(door, kind):
        return {"sign in"}
    assert kind.role is not None
    if not may(kind.role, function):
        return {"forbidden"}
    screen = not door.rule.rule.startswith("/api/")
    return {"in", "sign in"} if screen and kind.how != "session" else {"in"}


def verdict(answer: TestResponse, refusal: DomainError | None) -> str:
    """What came of a call, in the words of ``expected``; a defect by its status, a forged-looking call by its code."""
    if answer.status_code >= 500:
        return f"defect {answer.status_code}"
    if isinstance(refusal, Unauthenticated):
        return "sign in"
    if isinstance(refusal, Forbidden) and refusal.reason in (Forbidden.code, "bad_origin"):
        return refusal.reason
    return "in"


def wrong(web: Flask, doors_: Doors, door: Door, things: city.Things, kinds: list[Kind]) -> list[str]:
    """The cells of one row that are not as the table says."""
    found = []
    doors_.forget()
    for kind in kinds:
        answer = doors_.call(kind, door.method, door.path(web, things), **(TAKES | BOOKS).get(door.endpoint, {}))
        wanted, got = expected(web, door, kind), verdict(answer, doors_.refusal)
        if got not in wanted:
            found.append(f"{door}: {kind}: {got} ({answer.status_code}), not {' or '.join(sorted(wanted))}")
    return found


def guards_a_thing(web: Flask, door: Door) -> bool:
    """Whether the door is not public and its address names something that belongs to an office."""
    function = security.policy_of(web.view_functions[door.endpoint])
    return function is not Function.PUBLIC and bool(THINGS & set(door.names))


def strangers(web: Flask, door: Door, place: tuple[str, str]) -> list[Kind]:
    """Callers of another place whose role has the door's function; a city's roles are at home in all its offices."""
    own_city = place[0] == city.OWN
    found = [kind for kind in everyone(place) if kind.role and not as_nobody(door, kind)]
    found = [kind for kind in found if not (own_city and kind.role in OF_THE_CITY)]
    # Screens are opened by people and machines, the API by programs: each in the way it really comes.
    api = door.rule.rule.startswith("/api/")
    found = [kind for kind in found if (kind.how == "bearer") == api]
    return [kind for kind in found if kind.role and may(kind.role, asked_of(web, door, kind))]


def told(callers: Doors, door: Door, kind: Kind, things: city.Things, *, nowhere: bool) -> tuple[int, str]:
    """Status and body, without what differs from call to call and without the name that was asked for."""
    path = door.path(callers.web, things, nowhere=nowhere)
    answer = callers.call(kind, door.method, path, **BODIES.get(door.endpoint, {}))
    body = re.sub(r'(csrf[-_]token" (?:value|content)|idempotency_key" value)="[^"]*"', "", answer.text)
    return answer.status_code, body.replace(path, "").replace("nowhere", "").replace("ward", "")


def rows_of(database: Database) -> dict[str, Any]:
    """How many rows each table has and how far each office's log is; sign-ins apart."""
    with database.snapshot() as session:
        found: dict[str, Any] = {
            name: session.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
            if name not in ("staff_session", "access_token", "account")
        }
        return found | {f"seq of {row.id}": row.seq for row in session.execute(select(Office.id, Office.seq))}
