"""``serve``: supervise the web process and the scheduler; start what ended, stop both together."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from app.commands.kiosk import PINS
from app.commands.opening import opened
from app.commands.setup import SIGN_INS
from app.db import schema
from config import settings as configuration

SCREENS = (("住民の画面", "/"), ("ロビーの表示板", "/board/ward"), ("受付機", "/kiosk/ward"),
           ("職員のサインイン", "/sign-in"), ("端末をつなぐ", "/pair"))  # fmt: skip


def _web_command(settings: configuration.Settings) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "app.wsgi:application", "--workers", str(settings.web_processes),
        "--worker-class", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "--graceful-timeout", "5",
        "--bind", f"{settings.host}:{settings.port}", "--limit-request-field_size", "8190", "--log-level", "warning",
    ]  # fmt: skip


@click.command()
def web() -> None:
    """The web process alone (larger installations run each unit by itself)."""
    command = _web_command(configuration.load())
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


@click.command()
def scheduler() -> None:
    """The scheduler alone."""
    from scheduler import run

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened() as (_, database):
        run.forever(database, stop)


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
    click.echo("  オンライン決済・SMS: 設定されていないため、使いません。\n")


@click.command()
def serve() -> None:
    """Web, sockets and scheduler on one machine."""
    settings = configuration.load()
    with opened() as (_, database):
        schema.migrate(database)
    commands = {"web": _web_command(settings), "scheduler": [sys.executable, "-m", "app.cli", "scheduler"]}
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
