"""``waits``: how well the ranges that residents read hold, on a recorded file and on an office's own days."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands.opening import opened
from app.domain.errors import NotFound
from app.domain.wait import WaitInputs, estimate
from app.domain.wait_history import score
from app.models.place import Office
from app.services import wait_learning
from forecasting import queue_looks
from forecasting import waits as fitting

TRIALS = 2000


@click.group()
def waits() -> None:
    """The wait estimate and its error."""


@waits.command("backtest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--held-back", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.5, show_default=True,
              help="Share of the days, the latest ones, that the fit does not see.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def backtest(file: Path, held_back: float, as_json: bool) -> None:
    """Fit each office of FILE on its earlier days and judge the ranges on its later ones.

    FILE: looks at queues, ``ts,office,svc_id,…,waiting,called,num``; gzip too.
    """
    click.echo(f"reading {file.name} …", err=True)
    try:
        offices = queue_looks.read(file)
    except queue_looks.BadFile as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"fitting {len(offices)} offices …", err=True)
    begun = time.process_time()
    judged = [fitting.rehearse(cases, days, held_back) for cases, days in offices.values()]
    told = [each for office in judged for _, each in office]
    if not told:
        raise click.ClickException(f"{file.name}: no wait on a later day was seen to its end; two days are needed")
    figures = asdict(score(told)) | {
        "offices": len(offices), "mean_wait": sum(each.actual_min for each in told) / len(told),
        "judged_from": min(case.day for office in judged for case, _ in office).isoformat(),
        "cpu_seconds": time.process_time() - begun,
        "estimate_ms": _milliseconds(),
    }  # fmt: skip
    click.echo(json.dumps(figures) if as_json else _lines(figures))


def _milliseconds() -> float:
    """CPU time of one estimate."""
    inputs = WaitInputs(queue_ahead=12, call_rate_per_min=0.3, mean_wait_min=25, last_wait_min=18)
    begun = time.process_time()
    for _ in range(TRIALS):
        estimate(inputs)
    return (time.process_time() - begun) * 1000 / TRIALS


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _lines(figures: dict[str, Any]) -> str:
    return "\n".join(
        (
            f"waits judged            {figures['n']} of {figures['offices']} offices, from {figures['judged_from']}",
            f"mean wait               {figures['mean_wait']:.1f} min",
            f"mean absolute error     {figures['mae']:.2f} min",
            f"80 % range covers       {_share(figures['cover'])}; ten or more ahead {_share(figures['cover_ten'])}",
            f"as rounded for reading  {_share(figures['shown_cover'])}; ten or more ahead "
            f"{_share(figures['shown_cover_ten'])}; longer than told {_share(figures['longer'])}",
            f"one estimate            {figures['estimate_ms']:.4f} ms",
        )
    )


@waits.command("report")
@click.option("--office", required=True, help="The office's id.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def report(office: str, as_json: bool) -> None:
    """The error of what OFFICE told its residents in the last 28 days."""
    with opened() as (_, database), database.snapshot() as session:
        if session.get(Office, office) is None:
            raise NotFound(what="office")
        found = wait_learning.report(session, office, at=datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    for line in ({"id": office} | found, *found["categories"]):
        error = "–" if line["mae"] is None else f"{line['mae']:.1f} min"
        click.echo(f"{line['id']:24} {line['n']:6} waits  error {error:>9}  inside {_share(line['cover'])}")
