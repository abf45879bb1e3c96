"""What is refused before anything is looked at: addresses and headers that no page of ours would send.

The web server in front of us reads headers of any length; the rule is kept here, whatever serves the application.
"""

import flask
from flask import Flask, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge, RequestHeaderFieldsTooLarge, SecurityError

LONGEST_HEADER = 8 * 1024


class Request(flask.Request):
    """A form that is too large is refused once; the page that says so finds an empty one."""

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
        except RequestEntityTooLarge:
            self.__dict__["form"] = self.__dict__["files"] = ImmutableMultiDict[str, str]()
            raise


def host_is_ours() -> bool:
    """Whether the Host header is one of the settings' names (TRUSTED_HOSTS)."""
    return not isinstance(request.routing_exception, SecurityError)


def _refuse() -> None:
    if not host_is_ours():
        raise BadRequest()
    environ = request.environ
    if any(name.startswith("HTTP_") and len(value) > LONGEST_HEADER for name, value in environ.items()):
        raise RequestHeaderFieldsTooLarge()
    # Routing would take leading slashes for one; a path is what it is.
    path = str(environ.get("PATH_INFO", ""))
    if path.startswith("//") or "\x00" in path or "%00" in str(environ.get("QUERY_STRING", "")):
        raise NotFound()


def install(app: Flask) -> None:
    """The first of all checks of a request."""
    app.request_class = Request
    app.before_request(_refuse)
