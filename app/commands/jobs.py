"""``jobs``: what runs by itself and when, and one sweep of it now."""

import json
from datetime import UTC, datetime

import click

from app.commands.opening import opened
from scheduler import run as scheduler
from scheduler.clock import TOKYO
from scheduler.jobs import JOBS


@click.group()
def jobs() -> None:
    """Periodic work."""


@jobs.command("run")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the figure as JSON.")
def run(name: str, as_json: bool) -> None:
    """Do the sweep NAME now, in every office; a second run finds nothing left to do."""
    if name not in JOBS:
        raise click.ClickException(f"unknown job {name}; known: {', '.join(sorted(JOBS))}")
    with opened() as (_, database):
        effect = scheduler.run_by_hand(database, name, datetime.now(UTC))
    click.echo(json.dumps({"job": name, "effect": effect}) if as_json else f"{name}: {effect}")


@jobs.command("list")
def known() -> None:
    """Each job with its next time in Japan."""
    now = datetime.now(TOKYO)
    for name, job in JOBS.items():
        following = job.schedule.trigger.get_next_fire_time(None, now)
        click.echo(f"{name:24}{following:%Y-%m-%d %H:%M:%S}")
