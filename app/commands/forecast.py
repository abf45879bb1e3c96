"""``forecast``: what will come, made now for the offices of this installation, and judged on any file of counts."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy import select

from app.commands import forecast_run
from app.commands.forecast_backtest import backtest_
from app.commands.forecast_run import Run
from app.commands.opening import opened
from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.models.place import Office
from app.services import forecast_store

CLAIM_SECONDS = 60.0


@click.group()
def forecast() -> None:
    """Forecasts of arrivals."""


forecast.add_command(backtest_)


@forecast.command("run")
@click.option("--office", help="One office; all of them otherwise.")
@click.option("--night", hidden=True, help="The claim that the scheduler started this process with.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def run(office: str | None, night: str | None, as_json: bool) -> None:
    """Forecast the next two months of every line now, and learn service times and no-shows."""
    with opened() as (_, database):
        with database.snapshot() as session:
            offices = list(session.scalars(select(Office.id).order_by(Office.position, Office.id)))
        if office is not None and office not in offices:
            raise NotFound(what="office")
        if night is not None and office is not None:
            _night(database, office, night)
            return
        runs = [_run(database, each) for each in ([office] if office else offices)]
    click.echo(json.dumps({"offices": [asdict(each) for each in runs]}) if as_json else "\n".join(map(_sentence, runs)))


def _run(database: Database, office: str) -> Run:
    return forecast_run.of_office(
        database, office, at=datetime.now(UTC), heard=lambda line: click.echo(f"{office} {line} …", err=True)
    )


def _sentence(found: Run) -> str:
    failed = "".join(f"; {line} failed: {why}" for line, why in found.failed.items())
    return f"{found.office}: {found.lines} lines, {found.intervals} half-hours, {found.rates} rates{failed}"


def _night(database: Database, office: str, token: str) -> None:
    """The run of a claimed night; how it ended is written in the claim."""
    today = business_date(datetime.now(UTC))
    if not _claimed(database, office, token):
        raise click.ClickException(f"{office}: the claim of this night was not found, or another run has taken it")
    error = "defect"
    try:
        found = _run(database, office)
        error = "" if found.lines or not found.failed else next(iter(found.failed.values()))
        click.echo(_sentence(found))
    finally:
        with database.transaction() as session:
            forecast_store.finish(session, office, today=today, token=token, error=error, at=datetime.now(UTC))


def _claimed(database: Database, office: str, token: str) -> bool:
    """Whether the claim is there; it is committed a moment after this process was started."""
    deadline = time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < deadline:
        with database.snapshot() as session:
            if forecast_store.holds(session, office, token=token):
                return True
        time.sleep(0.5)
    return False
