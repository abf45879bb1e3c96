"""``init``: secrets, schema, sample. ``doctor``: what this installation stands on."""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select, text

from app.commands.kiosk import sample_pins
from app.commands.opening import opened
from app.db import schema
from app.db.engines import sqlite_module
from app.db.session import Database
from app.domain.roles import Role
from app.models.people import Account
from app.models.place import Municipality, Office
from app.services import access, catalogue_load, practice, training
from config import municipality

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
SIGN_INS = "sample-sign-ins.txt"


def make_secrets(var: Path) -> None:
    """Write fresh sample secrets once, readable by their owner only; not where a file of settings holds them."""
    if os.environ.get("MADOGUCHI_ENV_FILE"):
        return
    var.mkdir(parents=True, exist_ok=True)
    file = var / "secrets.env"
    if file.exists() or os.environ.get("MADOGUCHI_SECRET_KEY"):
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"MADOGUCHI_SECRET_KEY={secrets.token_urlsafe(48)}\n")


def load_sample(database: Database, var: Path) -> list[tuple[str, str, str]]:
    """The sample city in training mode and its staff with fresh passwords, once; returns (login, role, password)."""
    at = datetime.now(UTC)
    document = municipality.load(SAMPLE)
    with database.transaction() as session:
        fresh = session.scalar(select(Municipality.id).limit(1)) is None
        catalogue_load.load_document(session, document, at=at, waiting_too=True)
        if fresh:
            # A stranger tries it at any hour, and nobody's procedure hangs on it.
            for office in document.offices:
                training.switch(session, office.id, on=True, actor="command_line", at=at)
    if not fresh:
        return []
    made = []
    for member in document.staff:
        password = secrets.token_hex(6)
        hashed = access.hash_password(password)
        with database.transaction() as session:
            city = session.scalars(select(Municipality.id)).one()
            session.add(
                Account(municipality_id=city, office_id=member.offices[0] if len(member.offices) == 1 else None,
                        login=member.login, name=member.name, section=member.section["ja"],
                        role=Role(member.role), password_hash=hashed, created_at=at)
            )  # fmt: skip
        made.append((member.login, str(member.role), password))
    file = var / SIGN_INS
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{login}\t{role}\t{password}\n" for login, role, password in made)
    return made


@click.command()
@click.option("--sample", is_flag=True, help="Load the sample municipality and its staff, once.")
@click.option(
    "--practice", "practise", is_flag=True, help="Make a quarter of past visits up for offices without a past."
)
def init(sample: bool, practise: bool) -> None:
    """Create secrets and database, migrate, and load the sample."""
    var = Path(os.environ.get("MADOGUCHI_VAR_DIR", "var"))
    make_secrets(var)
    with opened() as (settings, database):
        schema.migrate(database)
        click.echo("database is at the newest schema")
        if sample:
            made = load_sample(database, settings.var_dir)
            if made:
                sample_pins(database, settings)
            click.echo(f"sample municipality loaded, {len(made)} new sign-ins")
        if practise:
            with database.transaction() as session:
                done = practice.lay_where_none(session, at=datetime.now(UTC))
            click.echo(f"{done} visits of practice data made up")


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Versions and state of the database; exits 1 when something is wrong."""
    with opened() as (_, database):
        found: dict[str, object] = {"sqlite": sqlite_module().sqlite_version, "schema": schema.current(database)}
        with database.read_engine.connect() as connection:
            if database.is_sqlite:
                found["integrity"] = connection.execute(text("PRAGMA quick_check")).scalar()
            else:
                found["postgresql"] = connection.execute(text("SHOW server_version")).scalar()
        if found["schema"] is not None:
            with database.snapshot() as session:
                found["training"] = (
                    ", ".join(o.id for o in session.scalars(select(Office)) if o.training) or "no office"
                )
    click.echo(json.dumps(found) if as_json else "\n".join(f"{key}: {value}" for key, value in found.items()))
    if found["schema"] is None or found.get("integrity", "ok") != "ok":
        raise click.exceptions.Exit(1)
