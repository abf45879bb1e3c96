"""``messages``: what waits to be sent, and letting a restored installation send again."""

import json
from datetime import UTC, datetime

import click

from app.commands.opening import opened
from app.services import holding, messages_report


@click.group()
def messages() -> None:
    """Messages: state of the outbox, and sending after a restore."""


@messages.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Messages by state, the oldest unsent one in seconds, and whether sending is held back."""
    with opened() as (_, database), database.snapshot() as session:
        found: dict[str, object] = dict(messages_report.open_counts(session))
        found["oldest_seconds"] = round(messages_report.oldest(session, at=datetime.now(UTC)).total_seconds())
        found["held"] = holding.held(session, holding.MESSAGES)
    click.echo(json.dumps(found) if as_json else "\n".join(f"{key}: {value}" for key, value in found.items()))


@messages.command()
def resume() -> None:
    """Send again after a restore. First make sure that no other copy of this installation sends."""
    with opened() as (_, database), database.transaction() as session:
        was = holding.release(session, holding.MESSAGES)
    click.echo("sending goes on" if was else "sending was not held back")
