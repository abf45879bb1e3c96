"""``user add`` and ``token issue``: sign-ins of staff, tokens of programs and devices."""

import secrets
from datetime import UTC, datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands.opening import opened
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.models.people import Account
from app.models.place import Counter, Municipality, Office
from app.services import access

_STAFF = [r.value for r in Role if r not in (Role.KIOSK, Role.DISPLAY)]


def _city_of(session: Session, office_id: str | None) -> str:
    """The municipality of an office, or the first one for a role of the whole city; raises NotFound."""
    if office_id is None:
        city = session.scalars(select(Municipality.id).order_by(Municipality.id).limit(1)).first()
    else:
        city = session.scalar(select(Office.municipality_id).where(Office.id == office_id))
    if city is None:
        raise NotFound(what="office" if office_id else "municipality")
    return city


@click.group()
def user() -> None:
    """Staff accounts."""


@user.command("add")
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(_STAFF), required=True)
@click.option("--office", "office_id")
@click.option("--section", default="")
@click.password_option()
def add(login: str, name: str, role: str, office_id: str | None, section: str, password: str) -> None:
    """Add an account; the password has at least ten characters and must be changed at the first sign-in."""
    hashed = access.hash_password(password)
    with opened() as (_, database), database.transaction() as session:
        city = _city_of(session, office_id)
        session.add(
            Account(municipality_id=city, office_id=office_id, login=login, name=name, section=section, role=role,
                    password_hash=hashed, must_change=True, created_at=datetime.now(UTC))
        )  # fmt: skip
    click.echo(f"added {login}")


@click.group()
def token() -> None:
    """Bearer tokens."""


@token.command("issue")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--office", "office_id")
@click.option("--counter", "counter_id")
@click.option("--label", default="command line")
def issue(role: str, office_id: str | None, counter_id: str | None, label: str) -> None:
    """Issue a token; prints the secret alone on the last line, once."""
    secret = secrets.token_urlsafe(32)
    with opened() as (_, database), database.transaction() as session:
        counter = session.get(Counter, counter_id) if counter_id else None
        if counter_id and (counter is None or office_id not in (None, counter.office_id)):
            raise NotFound(what="counter")
        office_id = office_id or (counter.office_id if counter else None)
        city = _city_of(session, office_id)
        access.issue_token(
            session, token=secret, role=Role(role), municipality_id=city, office_id=office_id,
            counter_id=counter_id, label=label, at=datetime.now(UTC),
        )  # fmt: skip
    click.echo(f"token for {role} {office_id or 'all offices'} {counter_id or ''}".strip())
    click.echo(secret)
