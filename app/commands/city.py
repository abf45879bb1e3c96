"""``city check`` and ``city load``: a municipality's own document into the database."""

from datetime import UTC, datetime
from pathlib import Path

import click

from app.commands.opening import opened
from app.services import catalogue_load
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
def load(directory: Path) -> None:
    """Bring DIRECTORY into the database: all of it or nothing; safe to run again, also while the hall goes on.

    What staff publish on a screen (kiosk, hours, their notices) stays as they published it. No accounts are made.
    """
    found = _document(directory)
    with opened() as (_, database), database.transaction() as session:
        done = catalogue_load.load_document(session, found, at=datetime.now(UTC))
    click.echo(f"{found.municipality.id}: {done.added} rows added, {done.changed} changed")
