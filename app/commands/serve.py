"""``serve``: supervise the web process and the scheduler; start what ended, stop both together."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from app.channels import registry as channels
from app.commands.kiosk import PINS
from app.commands.opening import opened
from app.commands.setup import SIGN_INS
from app.db import schema
from app.gateways import registry as gateways
from config import settings as configuration

SCREENS = (("住民の画面", "/"), ("ロビーの表示板", "/board/ward"), ("受付機", "/kiosk/ward"),
           ("職員のサインイン", "/sign-in"), ("端末をつなぐ", "/pair"))  # fmt: skip


def web_command(settings: configuration.Settings) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "app.wsgi:application", "--workers", str(settings.web_processes),
        "--worker-class", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "--graceful-timeout", "5",
        "--bind", f"{settings.host}:{settings.port}", "--limit-request-field_size", "8190", "--log-level", "warning",
    ]  # fmt: skip


@click.command()
def web() -> None:
    """The web process alone (larger installations run each unit by itself)."""
    command = web_command(configuration.load())
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


@click.command()
def scheduler() -> None:
    """The scheduler alone."""
    from scheduler import money, rosters, run, sender

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened() as (settings, database):
        sender.start(database, settings, stop)
        money.start(database, settings, stop)
        rosters.start(database, stop)
        run.forever(database, stop)


@click.command(name="sender")
def sender_alone() -> None:
    """A sender of messages alone, beside the scheduler's own (larger installations)."""
    from scheduler import sender

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened() as (settings, database):
        sender.Sender(database, sender.outfit_of(settings)).run(stop)


def _announce(settings: configuration.Settings) -> None:
    click.echo(f"\n窓口 Madoguchi  {settings.address}")
    for name, path in SCREENS:
        click.echo(f"  {name:　<10}{settings.address}{path}")
    sign_ins = Path(settings.var_dir) / SIGN_INS
    if sign_ins.exists():
        click.echo("  サインイン (sample):")
        pins = Path(settings.var_dir) / PINS
        lines = sign_ins.read_text().splitlines() + (pins.read_text().splitlines() if pins.exists() else [])
        click.echo("".join(f"    {line}\n" for line in lines))
    click.echo("".join(f"  {line}\n" for line in _outside(settings)))


def _outside(settings: configuration.Settings) -> list[str]:
    """What speaks to the outside, and which settings are missing for what does not: nothing pretends."""
    ways, tills = channels.ways(settings), gateways.gateways(settings)
    pay = tills.off.get("stripe")
    found = [f"オンライン決済: 使いません({pay} がありません)" if pay else "オンライン決済: 使います(Stripe)"]
    found += [f"{name}: 使いません({lacks} がありません)" for name, lacks in ways.off.items()]
    if settings.stripe_api_base:
        found.append(f"見本の決済会社につながっています。お金は動きません: {settings.stripe_api_base}")
    return found


@click.command()
def serve() -> None:
    """Web, sockets and scheduler on one machine."""
    settings = configuration.load()
    with opened() as (_, database):
        schema.migrate(database)
    commands = {"web": web_command(settings), "scheduler": [sys.executable, "-m", "app.cli", "scheduler"]}
    running = {name: subprocess.Popen(command) for name, command in commands.items()}  # noqa: S603
    _announce(settings)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping:
        time.sleep(0.5)
        for name, process in running.items():
            if process.poll() is not None and not stopping:
                click.echo(f"{name} ended with {process.returncode}; starting it again", err=True)
                time.sleep(1)
                running[name] = subprocess.Popen(commands[name])  # noqa: S603
    for process in running.values():
        process.terminate()
    for process in running.values():
        process.wait(timeout=15)
