"""``city check`` and ``city load``: a municipality's own document into the database."""

from datetime import UTC, datetime
from pathlib import Path

import click

from app.commands.opening import opened
from app.services import catalogue_load
from app.services.withdrawn_lines import Withdrawn
from config import municipality
from config.document import MunicipalityDocument


def _document(directory: Path) -> MunicipalityDocument:
    """The document, or every problem on standard error, one a line, and status 1."""
    try:
        return municipality.load(directory)
    except municipality.DocumentError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(1) from None


_DIRECTORY = click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def city() -> None:
    """The municipality as data: offices, lines, services, hours, who may sign in from where."""


@city.command("check")
@_DIRECTORY
def check(directory: Path) -> None:
    """Say whether DIRECTORY can be loaded; every problem with its file, line and field."""
    found = _document(directory)
    click.echo(f"{found.municipality.id}: {len(found.offices)} offices, {len(found.services)} services, no problem")


@city.command("load")
@_DIRECTORY
@click.option("--waiting-too", is_flag=True, help="Also take out a line in which people wait now.")
def load(directory: Path, waiting_too: bool) -> None:
    """Bring DIRECTORY into the database: all of it or nothing; safe to run again, also while the hall goes on.

    What staff publish on a screen (kiosk, hours, their notices) stays as they published it. No accounts are made. A
    line that is in DIRECTORY no more is told with the bookings and numbers in it; while people wait in it, nothing is
    loaded without --waiting-too.
    """
    found = _document(directory)
    with opened() as (_, database), database.transaction() as session:
        done = catalogue_load.load_document(session, found, at=datetime.now(UTC), waiting_too=waiting_too)
        left = [_left(line) for line in done.withdrawn]
    click.echo(f"{found.municipality.id}: {done.added} rows added, {done.changed} changed")
    for line in left:
        click.echo(line)


def _left(line: Withdrawn) -> str:
    """What stands in a line that was taken out, and what to do with it."""
    name = line.category.name.get("ja", "")
    told = f"{line.category.id} ({line.category.prefix} {name}) offers nothing any more and no counter calls it:"
    todo = []
    if line.bookings:
        todo.append(f"{line.bookings} bookings to come (tell them, or transfer each party by hand when it comes)")
    if line.numbers:
        todo.append(f"{line.numbers} numbers of today (transfer each at a desk: give its number)")
    return f"{told} {'; '.join(todo)}"
