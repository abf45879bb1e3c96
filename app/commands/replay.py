"""``replay``: a recorded day through the real engine over HTTP. ``demo``: a synthetic busy day, for ever moving."""

import json
import secrets
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
from sqlalchemy import select

from app.commands import arrivals as files
from app.commands.opening import opened
from app.commands.player import Player, Tally
from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.models.place import Office
from app.services import access, day, proof, training
from config import settings as configuration


@contextmanager
def serving(address: str) -> Iterator[None]:
    """The running server, or one of our own for the time of the play."""
    if _answers(address):
        yield
        return
    # What it says of itself is no figure: with --json, standard output is one document.
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], stdout=2)
    try:
        deadline = time.monotonic() + 60
        while not _answers(address):
            if time.monotonic() > deadline or process.poll() is not None:
                raise click.ClickException("the server did not start")
            time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _prepare(database: Database, office_id: str) -> tuple[str, str, int]:
    """Training mode, an empty hall and two tokens; returns (kiosk, staff, seq)."""
    at = datetime.now(UTC)
    tokens = [secrets.token_urlsafe(32) for _ in range(2)]
    with database.transaction() as session:
        office = session.get(Office, office_id)
        if office is None:
            raise NotFound(what="office")
        day.close(session, office_id, business_date(at), at=at)
        training.switch(session, office_id, on=True, actor="replay", at=at)
        for token, role in zip(tokens, (Role.KIOSK, Role.FLOOR_LEAD), strict=True):
            access.issue_token(session, token=token, role=role, municipality_id=office.municipality_id,
                               office_id=office_id, label="replay", at=at)  # fmt: skip
        return tokens[0], tokens[1], office.seq


def _mapped(names: Sequence[str], ours: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The file's services, busiest first, onto ours, one of each category in turn."""
    known = {service["id"] for service in ours}
    if set(names) <= known:
        return {name: name for name in names}
    by_category: dict[str, list[str]] = {}
    for service in ours:
        by_category.setdefault(service["category"], []).append(service["id"])
    columns = list(by_category.values())
    turn = [column[row % len(column)] for row in range(10) for column in columns]
    busiest = [name for name, _ in Counter(names).most_common()]
    return {name: turn[index % len(turn)] for index, name in enumerate(busiest)}


def _report(tally: Tally, shown: proof.Proof, *, seconds: float, speed: float) -> dict[str, Any]:
    waits = sorted(wait * speed / 60 for wait in shown.waits)
    return {
        "tickets": tally.issued, "refused": tally.refused, "served_steps": tally.served, "calls": shown.calls,
        "left_at_close": tally.left, "calls_per_hour_of_the_hall": round(shown.calls * 3600 / max(seconds * speed, 1)),
        "seconds": round(seconds, 1), "speed": speed,
        "wait_minutes": {
            "mean": round(statistics.fmean(waits), 1), "median": round(statistics.median(waits), 1),
            "p90": round(waits[int(len(waits) * 0.9)], 1), "longest": round(waits[-1], 1),
        } if waits else None,
        "client_failures": tally.failures, "violations": list(shown.violations),
    }  # fmt: skip


def _play(
    settings: configuration.Settings, database: Database, office: str, speed: float, today: list[files.Arrival],
    service_minutes: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    with serving(settings.address):
        kiosk, staff, seq = _prepare(database, office)
        with httpx.Client(
            base_url=f"{settings.address}/api/v1", headers={"Authorization": f"Bearer {staff}"}
        ) as client:
            ours = client.get(f"/offices/{office}/services").raise_for_status().json()["services"]
        ours = [service for service in ours if not service.get("booking_only")]
        mapping = _mapped([arrival.service for arrival in today], ours)
        player = Player(settings.address, office=office, kiosk=kiosk, staff=staff, speed=speed,
                        service_minutes=service_minutes)  # fmt: skip
        begun = time.monotonic()
        tally = player.play(today, mapping, {service["id"]: service["minutes"] for service in ours})
        seconds = time.monotonic() - begun
        with database.snapshot() as session:
            shown = proof.check(session, office, since_seq=seq)
        return _report(tally, shown, seconds=seconds, speed=speed)


def _say(found: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    if found["violations"] or found["client_failures"]:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--office", required=True, help="The sample or real office that plays.")
@click.option("--speed", type=click.FloatRange(1, 10_000), default=60.0)
@click.option("--pick", help="The office of the file, where it holds several.")
@click.option("--day", help="The date to play; the busiest by default.")
@click.option("--minutes", type=click.FloatRange(0.1, 240), help="Mean service time where the file records none.")
@click.option("--json", "as_json", is_flag=True)
def replay(
    file: Path, office: str, speed: float, pick: str | None, day: str | None, minutes: float | None, as_json: bool
) -> None:
    """Play FILE's day in training mode; prints waits, throughput and every rule violation."""
    today = files.read(file, pick=pick, day=day)
    click.echo(f"{len(today)} arrivals", err=True)
    with opened() as (settings, database):
        _say(_play(settings, database, office, speed, today, minutes), as_json)


@click.command()
@click.option("--speed", type=click.FloatRange(1, 10_000), default=20.0)
@click.option("--office", default="ward")
@click.option("--people", type=click.IntRange(1, 5_000), default=500)
@click.option("--json", "as_json", is_flag=True)
def demo(speed: float, office: str, people: int, as_json: bool) -> None:
    """A synthetic busy day in the sample office, so that every screen moves."""
    with opened() as (settings, database):
        with database.snapshot() as session:
            if session.scalar(select(Office.id).where(Office.id == office)) is None:
                raise NotFound(what="office")
        names = ("juminhyo", "inkan_cert", "koseki_cert", "tennyu", "tenkyo", "kokuho_join", "kazei_cert", "jido_teate")
        _say(_play(settings, database, office, speed, files.synthetic(names, people=people)), as_json)
