"""``audit verify``: whether every entry of the audit log is as it was written, and the head to keep elsewhere."""

import json
import re

import click
from sqlalchemy import select

from app.commands.opening import opened
from app.models.place import Municipality
from app.services.audit import Head, chain_key, head, verify


class HeadType(click.ParamType[Head]):
    """``NUMBER:HASH`` as an earlier run printed it."""

    name = "NUMBER:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        if isinstance(value, Head):
            return value
        match = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64}|)", str(value))
        if match is None or (int(match[1]) > 0) != bool(match[2]):
            self.fail("expected NUMBER:HASH as printed by an earlier run", param, ctx)
        return Head(number=int(match[1]), seal=match[2])


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
@click.option("--municipality", "only", help="The municipality; all of them by default.")
@click.option("--head", "anchor", type=HeadType(), help="A head noted earlier: also finds a cut-off end.")
@click.option("--json", "as_json", is_flag=True)
def check(only: str | None, anchor: Head | None, as_json: bool) -> None:
    """Check the chain of every entry; exits 1 with the first number that does not hold.

    Prints the head. Keep it outside this machine (paper, another system): entries cut off at the end are found
    only by comparing with a kept head, by --head.
    """
    found = []
    with opened() as (settings, database), database.snapshot() as session:
        cities = list(session.scalars(select(Municipality.id).order_by(Municipality.id)))
        if only is not None:
            cities = [city for city in cities if city == only]
        if not cities or (anchor and len(cities) != 1):
            raise click.ClickException("name one municipality that exists by --municipality")
        key = chain_key(settings.secret_key)
        for city in cities:
            broken = verify(session, city, key, anchor=anchor)
            last = head(session, city)
            found.append({"municipality": city, "entries": last.number, "head": str(last), "broken_at": broken})
    _say(found, anchored=anchor is not None, as_json=as_json)
    if any(item["broken_at"] is not None for item in found):
        raise click.exceptions.Exit(1)


def _say(found: list[dict[str, object]], *, anchored: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"chains": found, "end_checked": anchored}))
        return
    for item in found:
        state = "holds" if item["broken_at"] is None else f"is broken at entry {item['broken_at']}"
        click.echo(f"{item['municipality']}: {item['entries']} entries, the chain {state}")
        click.echo(f"head {item['head']}")
    if not anchored:
        click.echo("A cut-off end is found only with --head NUMBER:HASH of an earlier run kept elsewhere.", err=True)
