"""``payments``: what a restored installation holds back of money, and letting it ask for and give back money again."""

import json

import click

from app.commands.opening import opened
from app.gateways.registry import gateways
from app.services import holding
from app.services.money_calls import Ledgers, MoneyCalls


@click.group()
def payments() -> None:
    """Payments: whether charges and refunds are held back after a restore, and letting them go on."""


@payments.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Whether online charges and refunds are held back, and why a gateway is off."""
    with opened() as (settings, database), database.snapshot() as session:
        found = {"held": holding.held(session, holding.MONEY), "off": gateways(settings).off}
    click.echo(json.dumps(found) if as_json else "\n".join(f"{key}: {value}" for key, value in found.items()))


@payments.command()
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True,
              help="How far back the provider's ledger is read: at least to the backup.")  # fmt: skip
@click.option("--accept", is_flag=True, help="Go on although there is money no attempt is known for.")
def resume(days: int, accept: bool) -> None:
    """Charge and refund again after a restore. First make sure that no other copy of this installation does.

    What was paid and given back since the backup is read from the provider before anything is released. Money for
    which this copy knows no attempt is printed and stops the release: write it down, then repeat with --accept.
    """
    with opened() as (settings, database):
        with database.snapshot() as session:
            if not holding.held(session, holding.MONEY):
                click.echo("payments were not held back")
                return
        ready = gateways(settings)
        if ready.online is None:
            raise click.ClickException("online payment has no keys: the provider cannot be asked what it knows")
        told = MoneyCalls(database, ready).go_through(hours=24.0 * days)
        _look(told, accept=accept)
        with database.transaction() as session:
            holding.release(session, holding.MONEY)
    click.echo(f"payments go on; {told.moved} attempts had moved since the backup")


def _look(told: Ledgers, *, accept: bool) -> None:
    """Raises ClickException when the ledger was not read whole, or tells of money this copy knows nothing of."""
    if told.silent:
        raise click.ClickException(f"no answer from {', '.join(told.silent)}: nothing was released; try again")
    for seen in told.strange:
        yen = seen.amount.amount if seen.amount else "?"
        click.echo(f"no attempt for {seen.provider_id}: {yen} yen under {seen.key}", err=True)
    if told.strange and not accept:
        raise click.ClickException(f"{len(told.strange)} payments without an attempt; --accept goes on all the same")
