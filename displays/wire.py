"""What the socket library is given: its mode, the origins that may connect, and how JSON is written."""

from typing import Any

import flask
import orjson
from flask import Flask
from flask_socketio import SocketIO


def async_mode() -> str:
    """``gevent`` under the web process, ``threading`` in tests; never left to be guessed.

    gevent-websocket must be there: simple-websocket corrupts the frames of slow readers under gevent
    (performance.md). eventlet is winding down and is tried first by the library if it is installed.
    """
    from gevent import monkey

    if not monkey.is_module_patched("socket"):
        return "threading"
    import geventwebsocket  # noqa: F401 - the check is that it imports

    return "gevent"


def origins(app: Flask) -> list[str]:
    """Origins that may open a socket; an empty list would switch the library's check off, so it stops the start."""
    found = [origin for origin in app.config["ORIGINS"] if origin and origin != "*"]
    if not found:
        raise RuntimeError("no origin may open a socket: set MADOGUCHI_PUBLIC_URL")
    return found


def end_without_waiting(sockets: SocketIO) -> None:
    """Close a socket without waiting until its client fetches what is queued for it.

    The engine waits: one broken packet sent by polling, by a client that never polls again, holds a request for ever.
    """
    engine = sockets.server.eio

    def disconnect(sid: str | None = None) -> None:
        ended = engine.sockets.values() if sid is None else [engine.sockets.get(sid)]
        for each in list(ended):
            if each is not None:
                each.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)

    engine.disconnect = disconnect


def sid() -> str:
    """The id of the socket whose event is handled."""
    return str(flask.request.sid)  # type: ignore[attr-defined]


class Json:
    """orjson in the shape of the standard module; ``orjson.Fragment`` passes what is encoded already."""

    JSONDecodeError = orjson.JSONDecodeError

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        return orjson.loads(text)
