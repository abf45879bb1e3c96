"""``forecast backtest``: every method judged on any file of counts."""

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.domain.calendar import JST
from app.services.hours import national_holiday
from forecasting import backtest, readings, registry
from forecasting.backtest import Backtest, Judged
from forecasting.series import NotEnough

_HEAD = ("method", "WAPE %", "MASE", "day WAPE %", "80 % cover", "CPU s", "peak MB", "")


@click.command("backtest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--interval", type=click.IntRange(1, 1440), help="Sum up to intervals of so many minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def backtest_(file: Path, interval: int | None, as_json: bool) -> None:
    """Judge every method on FILE: ``ts,count`` at regular intervals, gzip too.

    With columns ``office`` and ``svc_id`` it holds several queues, which are judged together.
    The last weeks are told from rolling origins; one method is chosen by its MASE before them. CPU seconds are those
    of one fit and two weeks' prediction.
    """
    click.echo(f"reading {file.name} …", err=True)
    now = datetime.now(JST).replace(tzinfo=None)
    try:
        found = readings.read(file, interval_min=interval, now=now, holiday=lambda day: bool(national_holiday(day)))
        for note in found.notes:
            click.echo(note, err=True)
        judged = backtest.run(found.lines, heard=lambda name: click.echo(f"{name} …", err=True))
    except (readings.BadFile, NotEnough) as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    if not judged.methods:
        raise click.ClickException(f"{file.name}: no method could be judged ({_left_out(judged)})")
    click.echo(json.dumps(_figures(judged), ensure_ascii=False) if as_json else _table(judged))


def _figures(found: Backtest) -> dict[str, Any]:
    return {
        "methods": [_figure(each) for each in found.methods], "left_out": found.left_out,
        "series": found.lines, "scored_days": found.plan.scored * found.plan.horizon,
        "horizon_days": found.plan.horizon, "midday": None if found.midday is None else {
            "night": round(found.midday.night, 3), "again": round(found.midday.again, 3),
            "gain_percent": round(found.midday.gain, 2), "days": found.midday.days,
        },
    }  # fmt: skip


def _figure(found: Judged) -> dict[str, Any]:
    score = found.score
    return {
        "method": found.method, "wape": _known(score.wape), "mase": _known(score.mase),
        "day_wape": _known(score.day_wape), "cover80": _known(score.cover80),
        "cpu_seconds": round(found.cpu_seconds, 3), "peak_mb": round(found.peak_mb, 1), "chosen": found.chosen,
        "judged_mase": _known(found.judged_mase),
    }  # fmt: skip


def _known(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None


def _table(found: Backtest) -> str:
    rows = [_HEAD, *(_row(each) for each in found.methods)]
    lines = ["".join(f"{cell:>11}" if place else f"{cell:10}" for place, cell in enumerate(row)) for row in rows]
    if found.lines > 1:
        lines.append(f"{found.lines} series together")
    lines.append(
        f"scored: {found.plan.scored} origins of {found.plan.horizon} days; chosen on {found.plan.judged} before"
    )
    if found.midday is not None:
        gain = found.midday.gain
        lines.append(
            f"rest of the day at midday: off by {found.midday.night:.1f} as told the night before, by "
            f"{found.midday.again:.1f} told again ({abs(gain):.0f} % {'less' if gain >= 0 else 'more'})"
        )
    if found.left_out:
        lines.append(f"left out: {_left_out(found)}")
    return "\n".join(lines)


def _row(found: Judged) -> tuple[str, ...]:
    score = found.score
    figures = (score.wape, score.mase, score.day_wape, score.cover80, found.cpu_seconds)
    shown = [f"{value:.2f}" if math.isfinite(value) else "–" for value in figures]
    return (found.method, *shown, f"{found.peak_mb:.0f}", "chosen" if found.chosen else "")


def _left_out(found: Backtest) -> str:
    return ", ".join(f"{name} ({why}: {registry.METHODS[name].words})" for name, why in found.left_out.items())
