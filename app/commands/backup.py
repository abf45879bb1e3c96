"""``backup FILE`` and ``restore FILE``: the whole city in one file, good for both kinds of database."""

import hashlib
import hmac
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import func, select

import app.models
from app.commands.opening import opened
from app.db import backup as backups
from app.db import backup_file, restore, schema
from app.db.session import Database
from app.models.people import AccessToken, Account
from app.models.place import Municipality
from app.services import audit

assert app.models  # noqa: S101 - the tables register themselves
LEAP = 200


def _mark(secret: str) -> str:
    """Tells whether a file was written with the same secret, and nothing about it."""
    return hmac.digest(secret.encode(), b"backup mark 1", hashlib.sha256)[:8].hex()


def _progress(quiet: bool) -> backups.Progress:
    shown = not quiet and sys.stderr.isatty()

    def tell(table: str, rows: int) -> None:
        if shown:
            click.echo(f"  {table}: {rows}", err=True)

    return tell


def _note(database: Database, secret: str, action: str, details: dict[str, object], at: datetime) -> None:
    """Whoever took a copy of everything, or put one back, is in the audit log of every municipality."""
    with database.transaction() as session:
        for city in session.scalars(select(Municipality.id).order_by(Municipality.id)):
            audit.record(session, municipality_id=city, actor="command:0", action=action, subject="database:0",
                         details=details, at=at, key=audit.chain_key(secret))  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Overwrite FILE when it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def backup(file: Path, yes: bool, as_json: bool) -> None:
    """Write everything into FILE while the hall goes on; readable by its owner only.

    The secret of this installation is not in it: keep secrets.env elsewhere, or links and the audit chain end.
    """
    if file.exists() and not yes:
        raise click.ClickException(f"{file} exists; --yes overwrites it")
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise click.ClickException(f"{file.parent} is no directory that can be written to")
    at = datetime.now(UTC)
    with opened() as (settings, database):
        done = backups.dump(database, file, at=at, mark=_mark(settings.secret_key), progress=_progress(as_json))
        _note(database, settings.secret_key, "backup_made", {"made_at": at.isoformat()}, at)
    size = file.stat().st_size
    figures = {"file": str(file), "tables": done.tables, "rows": done.rows, "bytes": size, "made_at": at.isoformat()}
    sentence = f"{done.rows} rows of {done.tables} tables in {file} ({size} bytes)"
    click.echo(json.dumps(figures) if as_json else sentence)


@click.command(name="restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Replace the database that is there.")
@click.option("--leap", type=click.IntRange(0, 10_000), default=LEAP, show_default=True,
              help="How far today's numbers go on; 0 when nobody has taken one today.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def restore_(file: Path, yes: bool, leap: int, as_json: bool) -> None:
    """Replace the database by FILE, all or nothing. Stop the service first.

    Everybody is signed out and every board joins anew. What was revoked or closed since the backup is valid again:
    look through devices and staff. Numbers given since are on paper, so today's go on beyond them.
    """
    at = datetime.now(UTC)
    with opened() as (settings, database):
        header = backup_file.verify(file)
        schema.known(header.schema)
        if not restore.is_empty(database):
            if not yes:
                raise click.ClickException("there is a database; --yes replaces it by the backup")
            restore.refuse_running(database, at=at)
        done = restore.load(database, file, at=at, leap=leap, progress=_progress(as_json))
        details: dict[str, object] = {"made_at": header.made_at.isoformat(), "leap": leap}
        _note(database, settings.secret_key, "restored", details, at)
        same = header.mark == _mark(settings.secret_key)
        found = _figures(database)
    if not same:
        click.echo("The backup was made with another MADOGUCHI_SECRET_KEY: links of numbers are dead, and the audit"
                   " chain does not hold, until that one is put back.", err=True)  # fmt: skip
    figures = found | {"tables": done.tables, "rows": done.rows, "made_at": header.made_at.isoformat(), "leap": leap,
                       "same_secret": same}  # fmt: skip
    sentence = (
        f"{done.rows} rows as of {header.made_at:%Y-%m-%d %H:%M:%S} UTC; today's numbers go on by {leap}; "
        f"{found['accounts']} accounts and {found['tokens']} tokens are valid: look through them"
    )
    click.echo(json.dumps(figures) if as_json else sentence)


def _figures(database: Database) -> dict[str, object]:
    with database.snapshot() as session:
        accounts = session.scalar(select(func.count()).select_from(Account).where(Account.active))
        tokens = session.scalar(select(func.count()).select_from(AccessToken).where(AccessToken.revoked_at.is_(None)))
    return {"accounts": accounts, "tokens": tokens}
