"""docs/reference/ from the code: ``python -m tests.reference`` (``make reference``); a test holds it to the code."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic.fields import FieldInfo

from app.cli import main as command_line
from app.db.session import Database
from app.domain.roles import ALLOWED
from config.settings import Settings
from displays import live, relay
from tests.policy import city

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_SECRET = ("key", "token", "secret", "url")

_SETTINGS = """# Settings

Read once at the start from the environment, or from the file that `MADOGUCHI_ENV_FILE` names (by default
`secrets.env` in the var directory, which `madoguchi init` writes). A wrong value stops the start with one sentence.

| setting | default | what it is |
|---|---|---|
"""
_COMMANDS = """# Commands

`madoguchi COMMAND --help` says the same. A refusal is one sentence on standard error and a status other than 0.
"""
_SOCKETS = """# Sockets

Socket.IO, protocol 5, path `/socket.io`. Any Socket.IO client may be used; with several web processes it must begin
with the transport `websocket`. A browser is let in from the public address only.

1. Connect to a namespace. On `/staff` put a bearer token into `auth` (`{"token": "…"}`).
2. `emit("join", {"office": "ward"}, ack)`: the room is joined first, then `ack` carries the whole snapshot, so nothing
   falls between. `hall` names one waiting room. On `/live`, `view` chooses `board` (the default) or `counters`.
3. The event named like the view carries a whole snapshot whenever something changed. Boards in between may be left
   out: the newest `(epoch, seq)` wins. A new `epoch` means that the database was restored: take it.
4. `beat` carries `{epoch, seq}` every %(beat)s seconds. Ahead of yours: join again. Silent for 15 seconds: what you
   show is old, so take the numbers away.

The same snapshots are answered by `GET /api/v1/offices/{office}/board`, `/counters` and `/queue` with an `ETag`, for
places where sockets do not pass.

| namespace | views | event | who |
|---|---|---|---|
%(rows)s

A refused event is answered in its `ack` with `{"error": {"code", "message", "details"}}`. At most %(most)s sockets,
%(events)s events a second, 16 kB a message; a token that is taken away ends its socket within seconds.
"""


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    if field.default in ("", None):
        return "none" if name.endswith(_SECRET) else "empty"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def settings() -> str:
    """Every field of config/settings.py with its default and its sentence."""
    rows = [
        f"| `MADOGUCHI_{name.upper()}` | {_default(name, field)} | {field.description or ''} |"
        for name, field in Settings.model_fields.items()
    ]
    return _SETTINGS + "\n".join(rows) + "\n"


def every_command() -> Iterator[tuple[list[str], click.Command]]:
    """Each command that does something, with its words, in their order."""

    def walk(words: list[str], command: click.Command) -> Iterator[tuple[list[str], click.Command]]:
        if not isinstance(command, click.Group):
            yield words, command
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk([*words, name], found)

    yield from walk(["madoguchi"], command_line)


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    if isinstance(option.type, click.Choice):
        value = " " + "·".join(option.type.choices)
    said = [option.help or ""]
    if option.required:
        said.append("Required.")
    elif isinstance(option.default, int | float | str) and not option.is_flag and option.default != "":
        said.append(f"Default {option.default}.")
    return f"| `{'`, `'.join(option.opts)}{value}` | {' '.join(each for each in said if each)} |"


def _command(words: list[str], command: click.Command) -> str:
    arguments = [
        each.make_metavar(click.Context(command)) for each in command.params if isinstance(each, click.Argument)
    ]
    options = [_option(each) for each in command.params if isinstance(each, click.Option)]
    text = f"\n## `{' '.join([*words, *arguments])}`\n{inspect.cleandoc(command.help or '')}\n"
    return text + ("\n| option | |\n|---|---|\n" + "\n".join(options) + "\n" if options else "")


def commands() -> str:
    """Every command with its arguments and options."""
    return _COMMANDS + "".join(_command(words, command) for words, command in every_command())


def _who(namespace: str) -> str:
    function = live.POLICIES[namespace, "join"]
    roles = [role.value for role, functions in ALLOWED.items() if function in functions]
    return ", ".join(roles) if roles else "anybody; a device its own hall"


def sockets() -> str:
    """The namespaces and views of displays/live.py with what may be joined by whom."""
    city.application(Database("sqlite://"))  # the events declare themselves when an application is made
    rows = [
        f"| `{namespace}` | {', '.join(f'`{view}`' for view in views)} | `join` | {_who(namespace)} |"
        for namespace, views in live.VIEWS.items()
    ]
    return _SOCKETS % {
        "beat": int(relay.BEAT_SECONDS), "rows": "\n".join(rows), "most": live.MOST_SOCKETS,
        "events": live.EVENTS_PER_SECOND,
    }  # fmt: skip


PAGES = {"settings.md": settings, "commands.md": commands, "sockets.md": sockets}


def main() -> None:
    """Write the pages anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())


if __name__ == "__main__":
    main()
