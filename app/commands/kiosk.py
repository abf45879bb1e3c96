"""``kiosk-pin``: the PIN that opens staff mode at an office's kiosks; and the sample's PINs at the first start."""

import os
import secrets
from datetime import UTC, datetime

import click
from sqlalchemy import select

from app.commands.opening import opened
from app.db.session import Database
from app.domain.errors import InvalidInput
from app.models.place import Office
from app.services import access, catalogue, kiosk_staff
from config.settings import Settings

PINS = "sample-kiosk-pins.txt"


def fresh_pin() -> str:
    """Six digits of chance that may be a PIN."""
    while True:
        drawn = f"{secrets.randbelow(10**kiosk_staff.SHORTEST_PIN):0{kiosk_staff.SHORTEST_PIN}d}"
        try:
            return kiosk_staff.check_pin(drawn)
        except InvalidInput:
            continue


def set_pin(database: Database, settings: Settings, office_id: str, pin: str) -> None:
    """Hash and store a PIN; raises NotFound, InvalidInput ``bad_pin``. Hashing is done outside the transaction."""
    material = kiosk_staff.pin_material(settings.secret_key.encode(), office_id, kiosk_staff.check_pin(pin))
    hashed = access.hash_password(material)
    with database.transaction() as session:
        catalogue.office(session, office_id)
        kiosk_staff.set_pin(
            session, office_id=office_id, pin_hash=hashed, actor="command_line", at=datetime.now(UTC)
        )  # fmt: skip


def sample_pins(database: Database, settings: Settings) -> None:
    """A fresh PIN for each office, kept in the var directory for its owner to read."""
    with database.snapshot() as session:
        offices = list(session.scalars(select(Office.id).order_by(Office.position, Office.id)))
    made = [(office_id, fresh_pin()) for office_id in offices]
    for office_id, pin in made:
        set_pin(database, settings, office_id, pin)
    file = settings.var_dir / PINS
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{office_id}\tkiosk PIN\t{pin}\n" for office_id, pin in made)


@click.command("kiosk-pin")
@click.option("--office", "office_id", required=True)
def kiosk_pin(office_id: str) -> None:
    """Draw a new PIN for staff mode at the kiosks of an office; printed once, alone on the last line."""
    pin = fresh_pin()
    with opened() as (settings, database):
        set_pin(database, settings, office_id, pin)
    click.echo(pin)
