"""``device pair``, ``device list``, ``device revoke``: boards and kiosks from the machine itself."""

import json
from datetime import UTC, datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands.opening import opened
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.models.people import AccessToken
from app.models.place import Counter, Hall, Office
from app.services import devices
from app.services.audit import chain_key
from app.services.people import command_line

_NAMES = {Role.DISPLAY: "表示板", Role.KIOSK: "受付機"}


@click.group()
def device() -> None:
    """Boards and kiosks."""


def _place(session: Session, office_id: str | None, hall_id: str | None, counter_id: str | None) -> Office:
    """The office named, that of the counter or hall named, or the first of the city."""
    for model, name in ((Counter, counter_id), (Hall, hall_id)):
        if office_id is None and name is not None:
            found = session.get(model, name)
            if not isinstance(found, Counter | Hall):
                raise NotFound(what=model.__tablename__)
            office_id = found.office_id
    query = select(Office).order_by(Office.position, Office.id).limit(1)
    office = session.scalar(query.where(Office.id == office_id) if office_id else query)
    if office is None:
        raise NotFound(what="office")
    return office


@device.command("pair")
@click.argument("code")
@click.option("--role", type=click.Choice([role.value for role in devices.DEVICE_ROLES]), default="display")
@click.option("--office", "office_id", help="The first office by default.")
@click.option("--hall", "hall_id", help="One waiting room; the whole office by default.")
@click.option("--counter", "counter_id", help="The counter a display stands above.")
@click.option("--label", help="What staff call the device.")
def pair(
    code: str, role: str, office_id: str | None, hall_id: str | None, counter_id: str | None, label: str | None
) -> None:
    """Make the device that shows CODE a board, counter display or kiosk; the code works once, for ten minutes."""
    with opened() as (settings, database), database.transaction() as session:
        office = _place(session, office_id, hall_id, counter_id)
        row = devices.claim(
            session, by=command_line(office.municipality_id), code=code, role=role, office_id=office.id,
            hall_id=hall_id, counter_id=counter_id, label=label or _NAMES[Role(role)], at=datetime.now(UTC),
            key=chain_key(settings.secret_key),
        )  # fmt: skip
    place = " ".join(each for each in (row.office_id, row.hall_id, row.counter_id) if each)
    click.echo(f"paired {row.role} {row.id} {row.label}: {place}")


@device.command("list")
@click.option("--json", "as_json", is_flag=True)
def listing(as_json: bool) -> None:
    """The tokens in use, trouble first, with the seconds since each was heard."""
    at, found = datetime.now(UTC), []
    with opened() as (_, database), database.snapshot() as session:
        for city in session.scalars(select(Office.municipality_id).distinct()):
            found += devices.listed(session, command_line(city), at=at)
    rows = [
        {
            "id": each.token.id, "role": each.token.role, "office": each.token.office_id, "hall": each.token.hall_id,
            "counter": each.token.counter_id, "label": each.token.label, "health": each.health, "age_seconds": each.age,
        }
        for each in found
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"devices": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo("\t".join("" if value is None else str(value) for value in row.values()))


@device.command("revoke")
@click.argument("token_id", type=int)
def revoke(token_id: int) -> None:
    """Take the token TOKEN_ID (see ``device list``) away."""
    with opened() as (settings, database), database.transaction() as session:
        city = session.scalar(select(AccessToken.municipality_id).where(AccessToken.id == token_id))
        if city is None:
            raise NotFound(what="device")
        at, key = datetime.now(UTC), chain_key(settings.secret_key)
        row = devices.revoke(session, by=command_line(city), token_id=token_id, at=at, key=key)
    click.echo(f"revoked {row.role} {row.id} {row.label}")
