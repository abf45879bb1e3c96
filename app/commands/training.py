"""``training``: whether an office's numbers are for practice and given at every hour."""

from datetime import UTC, datetime

import click

from app.commands.opening import opened
from app.services import training as mode


@click.command()
@click.argument("office")
@click.argument("state", type=click.Choice(["on", "off"]))
def training(office: str, state: str) -> None:
    """Turn training mode of OFFICE on or off: numbers for practice, given at every hour and marked as such.

    The sample offices begin in it. Turn it off before the first real day: the opening hours then hold.
    """
    on = state == "on"
    with opened() as (_, database), database.transaction() as session:
        changed = mode.switch(session, office, on=on, actor="command_line", at=datetime.now(UTC))
    said = "in training mode: numbers at every hour, for practice" if on else "serving: the opening hours hold"
    click.echo(f"{office} is {said if changed else 'so already: ' + said}")
