"""``jobs run``: do one sweep of the scheduler now."""

from datetime import UTC, datetime

import click

from app.commands.opening import opened
from scheduler import run as scheduler
from scheduler.jobs import JOBS


@click.group()
def jobs() -> None:
    """Periodic work."""


@jobs.command("run")
@click.argument("name")
def run(name: str) -> None:
    """Do the sweep NAME now."""
    if name not in JOBS:
        raise click.ClickException(f"unknown job {name}; known: {', '.join(sorted(JOBS))}")
    with opened() as (_, database):
        click.echo(f"{name}: {scheduler.run_by_hand(database, name, datetime.now(UTC))}")
