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
from app.services import access, people, second_factor
from app.services.audit import chain_key


def _city_of(session: Session, office_id: str | None) -> str:
    """The municipality of an office, or the first one for a role of the whole city; raises NotFound."""
    if office_id is None:
        city = session.scalars(select(Municipality.id).order_by(Municipality.id).limit(1)).first()
    else:
        city = session.scalar(select(Office.municipality_id).where(Office.id == office_id))
    if city is None:
        raise NotFound(what="office" if office_id else "municipality")
    return city


def _only_office(session: Session, city: str) -> str | None:
    offices = session.scalars(select(Office.id).where(Office.municipality_id == city).limit(2)).all()
    return offices[0] if len(offices) == 1 else None


def _account(session: Session, login: str, municipality: str | None) -> Account:
    """The one account of a login; raises NotFound for none and for several."""
    query = select(Account).where(Account.login == login.strip().casefold())
    if municipality:
        query = query.where(Account.municipality_id == municipality)
    found = session.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise NotFound(what="account")
    return found[0]


@click.group()
def user() -> None:
    """Staff accounts."""


@user.command("add")
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([role.value for role in people.STAFF_ROLES]), required=True)
@click.option("--office", "office_id", help="Needed for the roles of one office, unless the city has only one.")
@click.option("--section", default="")
@click.password_option()
def add(login: str, name: str, role: str, office_id: str | None, section: str, password: str) -> None:
    """Add an account; the password has at least ten characters and must be changed at the first sign-in."""
    hashed = access.hash_password(password)
    with opened() as (settings, database), database.transaction() as session:
        city = _city_of(session, office_id)
        if office_id is None and role in people.ROLES_OF_AN_OFFICE:
            office_id = _only_office(session, city)
        made = people.add(
            session, by=people.command_line(city), login=login, name=name, section=section, role=role,
            office_id=office_id, password_hash=hashed, at=datetime.now(UTC), key=chain_key(settings.secret_key),
        )  # fmt: skip
    click.echo(f"added {made.account.login}")


@user.command("password")
@click.argument("login")
@click.option("--municipality", help="Where the login is, if several cities have it.")
@click.password_option()
def password(login: str, municipality: str | None, password: str) -> None:
    """Set a new password of LOGIN, also of a city administrator; opens a closed account again."""
    hashed = access.hash_password(password)
    with opened() as (settings, database), database.transaction() as session:
        found = _account(session, login, municipality)
        people.new_password(
            session, by=people.command_line(found.municipality_id), account_id=found.id, password_hash=hashed,
            at=datetime.now(UTC), key=chain_key(settings.secret_key),
        )  # fmt: skip
        click.echo(f"new password for {found.login}; every session of it has ended")


@user.command("second-factor-off")
@click.argument("login")
@click.option("--municipality", help="Where the login is, if several cities have it.")
def second_factor_off(login: str, municipality: str | None) -> None:
    """Take away the second factor of LOGIN, who lost the phone and the codes on paper; ends every session of it."""
    with opened() as (settings, database), database.transaction() as session:
        found = _account(session, login, municipality)
        second_factor.reset(
            session, by=people.command_line(found.municipality_id), account_id=found.id, at=datetime.now(UTC),
            key=chain_key(settings.secret_key),
        )  # fmt: skip
        click.echo(f"{found.login} signs in with the password alone")


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
