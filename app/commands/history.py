"""``history``: the years before us, from the CSV of the ticket machine that stood here."""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
from sqlalchemy import select

from app.commands.opening import opened
from app.domain.past_visits import Bad, BadHistory, Row, decoded, read
from app.models.place import Office
from app.services import practice, visit_import
from app.services.visit_import import Import

BATCH = 4000
SHOWN_BAD = 50
_GZIP = b"\x1f\x8b"


@click.group()
def history() -> None:
    """Past visits."""


@history.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--office", required=True, help="The office's id.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures and every bad row as JSON.")
def import_(file: Path, office: str, as_json: bool) -> None:
    """Read FILE, ``service,issued_at[,called_at,finished_at,counter,booked]`` with ISO times.

    A bad row is reported by its line and left out; the good ones are kept. A second run adds nothing.
    """
    done, rows = Import(), 0
    with opened() as (_, database):
        with database.snapshot() as session:
            names = visit_import.names(session, office)
        try:
            found = read(decoded(_bytes(file)), services=names, now=datetime.now(UTC))
            for batch in iter(lambda: list(islice(found, BATCH)), []):
                rows += len(batch)
                done.bad += [each for each in batch if isinstance(each, Bad)]
                with database.transaction() as session:
                    visit_import.store(session, office, [each for each in batch if isinstance(each, Row)], done)
                click.echo(f"{rows} rows …", err=True)
        except BadHistory as error:
            raise click.ClickException(f"{file.name}: {error}") from None
    _say(file, done, rows, as_json)


@history.command("practice")
@click.option("--office", help="One office; every one without a past otherwise.")
@click.option("--remove", is_flag=True, help="Take the practice data away.")
def practice_(office: str | None, remove: bool) -> None:
    """Make a quarter of visits up to practise planning with (練習用のデータ); every screen says so.

    An office with a past gets none, and a past that is imported takes their place.
    """
    at = datetime.now(UTC)
    with opened() as (_, database), database.transaction() as session:
        if remove:
            offices = [office] if office else session.scalars(select(Office.id)).all()
            done = sum(practice.drop(session, each) for each in offices)
        else:
            done = practice.lay(session, office, at=at) if office else practice.lay_where_none(session, at=at)
    click.echo(f"{done} visits of practice data {'removed' if remove else 'made up'}")


def _bytes(file: Path) -> bytes:
    raw = file.read_bytes()
    if raw[:2] != _GZIP:
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise BadHistory("the gzip file is damaged") from None


def _say(file: Path, done: Import, rows: int, as_json: bool) -> None:
    done.bad.sort(key=lambda each: each.line)
    if as_json:
        figures = {"rows": rows, "imported": done.new, "changed": done.changed, "known": done.known,
                   "bad": [{"line": each.line, "reason": each.reason} for each in done.bad]}  # fmt: skip
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        if done.practice:
            click.echo(f"{done.practice} visits of practice data made room", err=True)
        for sentence in _bad(done.bad):
            click.echo(sentence, err=True)
        click.echo(f"{done.new} imported, {done.changed} changed, {done.known} known before, {len(done.bad)} bad")
    if not done.new + done.changed + done.known:
        raise click.ClickException(f"{file.name}: no good row in {rows}")


def _bad(bad: list[Bad]) -> Iterator[str]:
    yield from (f"line {each.line}: {each.reason}" for each in bad[:SHOWN_BAD])
    if len(bad) > SHOWN_BAD:
        yield f"… and {len(bad) - SHOWN_BAD} more bad rows (all of them with --json)"
