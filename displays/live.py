"""Live screens over Socket.IO (contract.md, "Sockets"): namespaces ``/live`` for boards and phones, ``/staff``.

A client joins the room of an office or hall first and then receives the snapshot, so nothing falls between.
What follows is a hint each time: the newest ``(epoch, seq)`` wins, ``beat`` exposes a loss, and the client joins
again. Every event declares its policy, as every route does.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import flask
import orjson
from flask import Flask, current_app, request
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import SocketIO, join_room
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.db.session import Database
from app.domain.errors import DomainError, Forbidden, InvalidInput, NotFound, TooMany
from app.domain.roles import Function, Role, may
from app.services import access
from app.web import security
from app.web.errors import sentence
from app.web.locale import plain
from displays import wire
from displays.relay import Relay
from displays.watchers import Watcher, Watchers

log = logging.getLogger(__name__)
LIVE, STAFF = "/live", "/staff"
# What each namespace shows, the first where nothing is asked for. Each is a kind of snapshot and an event's name.
VIEWS: Mapping[str, tuple[str, ...]] = {LIVE: ("board", "counters"), STAFF: ("queue",)}
MOST_SOCKETS = 2_500
EVENTS_PER_SECOND = 40
# Every handler with the function of domain/roles.py it is; a test fails for one that is not here.
POLICIES: dict[tuple[str, str], Function] = {}


class Join(BaseModel):
    """What ``join`` carries; ``epoch`` and ``seq`` are what the client has (it is sent the whole in any case)."""

    model_config = ConfigDict(extra="forbid", strict=True)
    office: str = Field(min_length=1, max_length=64)
    hall: str | None = Field(default=None, max_length=64)
    view: Literal["board", "counters", "queue"] | None = None
    epoch: str | None = Field(default=None, max_length=64)
    seq: int | None = Field(default=None, ge=0, lt=2**63)


def room_of(kind: str, office: str, hall: str | None) -> str:
    """The room's name; ids never hold a bar."""
    return f"{kind}|{office}|{hall or ''}"


def refusal(error: DomainError) -> dict[str, Any]:
    """The uniform answer of an event that was refused, as the API words it."""
    return {"error": {"code": error.reason, "message": plain(sentence(error.reason, error.values)), "details": {}}}


class Live:
    """The sockets of one web process."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.sockets = SocketIO(
            async_mode=wire.async_mode(), cors_allowed_origins=wire.origins(app), json=wire.Json, path="/socket.io",
            max_http_buffer_size=16 * 1024, ping_interval=20, ping_timeout=15, manage_session=False,
            transports=None if app.config["SETTINGS"].web_processes == 1 else ["websocket"],
        )  # fmt: skip
        self.watchers = Watchers()
        self.relay = Relay(database, app.extensions["snapshots"], self.watchers, self.emit, self.drop)
        for namespace in VIEWS:
            self._listen(namespace, "connect", Function.PUBLIC, self._connect)
            self._listen(namespace, "disconnect", Function.PUBLIC, self._disconnect)
            self._listen(namespace, "*", Function.PUBLIC, self._unknown)
        self._listen(LIVE, "join", Function.PUBLIC, self._join)
        self._listen(STAFF, "join", Function.SEE_QUEUE, self._join)
        self.sockets.init_app(app)
        wire.end_without_waiting(self.sockets)
        database.on_commit(self.relay.wake)

    def _listen(self, namespace: str, name: str, function: Function, handler: Callable[..., Any]) -> None:
        POLICIES[namespace, name] = function

        def guarded(*args: Any) -> Any:
            if name == "disconnect":
                return handler(namespace, *args)
            try:
                if name == "connect":
                    return handler(namespace, *args)
                self._refuse_flood(namespace)
                return handler(namespace, *args)
            except DomainError as error:
                if name == "connect":
                    raise Refused(error.reason) from None
                return refusal(error)
            except Refused:
                raise
            except Exception:
                log.exception("a socket event failed")
                return {"error": {"code": "defect", "message": plain(sentence("defect", {})), "details": {}}}

        self.sockets.on_event(name, guarded, namespace=namespace)

    def emit(self, namespace: str, event: str, body: bytes, room: str) -> None:
        """Send encoded JSON to everyone in a room."""
        self.sockets.emit(event, orjson.Fragment(body), namespace=namespace, to=room)

    def drop(self, sid: str, namespace: str) -> None:
        """End a socket whose token, session or account has ended."""
        self.sockets.server.disconnect(sid, namespace=namespace)

    def _connect(self, namespace: str, auth: Any = None) -> None:
        self.relay.start(self.sockets)
        if len(self.watchers) >= MOST_SOCKETS:
            raise Refused("too_many")
        recheck = self._credential(namespace, auth)
        who = None
        if recheck is not None:
            with security.database().snapshot() as session:
                who = recheck(session)
            if who is None:
                raise Refused("unauthenticated")
            if who.held:
                raise Refused("forbidden")
        function = POLICIES[namespace, "join"]
        if function is not Function.PUBLIC and (who is None or not may(who.role, function)):
            raise Refused("forbidden" if who else "unauthenticated")
        self.watchers.add(Watcher(sid=wire.sid(), namespace=namespace, who=who, recheck=recheck))

    def _credential(self, namespace: str, auth: Any) -> Callable[[Any], access.Principal | None] | None:
        """Who connects: a bearer token in ``auth``, or on ``/staff`` the session of our own page.

        A cookie travels with anybody's page, so it counts only beside an Origin of ours (engineio lets a
        missing Origin pass).
        """
        token = auth.get("token") if isinstance(auth, dict) else None
        if isinstance(token, str) and 8 <= len(token) <= 200:
            return lambda session: access.by_bearer(session, token)
        if token is not None:
            raise Refused("unauthenticated")
        signed_in = flask.session.get(security.STAFF_COOKIE)
        if namespace == STAFF and signed_in and request.headers.get("Origin") in current_app.config["ORIGINS"]:
            address = request.remote_addr or ""
            return lambda session: access.by_session(session, str(signed_in), at=security.now(), address=address)
        return None

    def _disconnect(self, namespace: str, *_reason: Any) -> None:
        self.watchers.remove(wire.sid(), namespace)

    def _refuse_flood(self, namespace: str) -> None:
        watcher = self.watchers.get(wire.sid(), namespace)
        if watcher is None:
            raise Forbidden()
        if watcher.count(int(time.monotonic())) > EVENTS_PER_SECOND:
            self.drop(watcher.sid, namespace)
            raise TooMany(retry_after=1)

    def _unknown(self, namespace: str, *args: Any) -> Any:
        if any(isinstance(arg, bytes) for arg in args):
            self.drop(wire.sid(), namespace)
        raise NotFound("unknown_event")

    def _join(self, namespace: str, *args: Any) -> Any:
        wish = self._wish(args)
        watcher = self.watchers.get(wire.sid(), namespace)
        if watcher is None:
            raise Forbidden()
        with security.database().snapshot() as session:
            refuse_foreign(session, watcher.who, POLICIES[namespace, "join"], wish)
        kind = wish.view or VIEWS[namespace][0]
        if kind not in VIEWS[namespace]:
            raise InvalidInput(fields=["view"])
        hall = wish.hall if namespace == LIVE else None
        # Looked at before it is joined: a room that does not exist is not made.
        security.kept_snapshots().read(kind, wish.office, hall, at=security.now())
        room = room_of(kind, wish.office, hall)
        self.watchers.join(watcher, room)
        join_room(room)
        return orjson.Fragment(security.kept_snapshots().read(kind, wish.office, hall, at=security.now()).body)

    def _wish(self, args: tuple[Any, ...]) -> Join:
        if len(args) != 1 or isinstance(args[0], bytes):
            raise InvalidInput(fields=["body"])
        try:
            return Join.model_validate(args[0])
        except ValidationError:
            raise InvalidInput(fields=["body"]) from None


def refuse_foreign(session: Any, who: access.Principal | None, function: Function, wish: Join) -> None:
    """A device joins its own hall, staff their own office; the public board is anybody's. Raises Forbidden."""
    if who is None:
        return
    try:
        access.require(session, who, function, office_id=wish.office)
        if function is Function.PUBLIC:
            access.require(session, who, Function.SEE_WAITS, office_id=wish.office)
    except NotFound:
        raise Forbidden() from None
    if who.role in (Role.DISPLAY, Role.KIOSK) and who.hall_id not in (None, wish.hall):
        raise Forbidden()


def install(app: Flask) -> Live:
    """Mount the sockets on the application; ``app.extensions["live"]``."""
    found = Live(app, security_database(app))
    app.extensions["live"] = found
    return found


def security_database(app: Flask) -> Database:
    """The application's database, outside of a request."""
    found: Database = app.extensions["database"]
    return found
