"""``roster solve``: look for a good roster of a day in this process, and keep the best one where the screen sees it."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from app.commands.opening import opened
from app.db.session import Database
from app.domain import roster as rules
from app.services import roster_searches, rosters
from app.services.rosters import Sheet
from app.web import day_plan

if TYPE_CHECKING:
    from forecasting.roster import Found

ACTOR = "command line"
_TELL_SECONDS = 0.7


@click.group()
def roster() -> None:
    """Who works where."""


@roster.command("solve")
@click.option("--office", required=True)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--seconds", type=click.IntRange(1, roster_searches.MOST_SECONDS), default=30, show_default=True)
@click.option("--use", "use_it", is_flag=True, help="Put the result in the draft of the day.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--search", "token", hidden=True, help="The search that the scheduler started this process for.")
def solve(office: str, day: datetime, seconds: int, use_it: bool, as_json: bool, token: str | None) -> None:
    """Look for the best roster of a day for so many seconds. It is the best that was found, not the best there is."""
    with opened() as (_, database):
        at = datetime.now(UTC)
        sheet = _sheet(database, office, day.date(), at)
        if token is not None:
            _searched(database, sheet, token, seconds)
            return
        found = _search(sheet, seconds, _Listener(lambda found: click.echo(_progress(sheet, found), err=True)))
        if found is None:
            raise click.ClickException(f"{office}: no roster was found in {seconds} s")
        if use_it:
            with database.transaction() as session:
                rosters.use(session, sheet, found.shifts, version=sheet.version, actor=ACTOR, at=at)
    figures = _figures(sheet, found)
    click.echo(json.dumps(figures) if as_json else _sentence(figures))


def _sheet(database: Database, office: str, day: date, at: datetime) -> Sheet:
    """The roster as the screen has it, with what the counters need. Raises NotFound, ClickException for no work."""
    with database.snapshot() as session:
        plans = day_plan.of_day(session, office_id=office, day=day, at=at)
        sheet = rosters.read(session, office, day, needs=day_plan.needs(plans))
    if not sheet.plan.needs:
        raise click.ClickException(f"{office}: there is no forecast for {day}, so nothing is known of what is needed")
    if not any(any(person.present) for person in sheet.plan.people):
        raise click.ClickException(f"{office}: nobody is here on {day}")
    return sheet


class _Listener:
    """What the search tells: the best plan so far, and whether it shall end."""

    def __init__(self, tell: Any) -> None:
        self.best: Found | None = None
        self.plans = 0
        self.stop = threading.Event()
        self._tell = tell

    def __call__(self, found: "Found") -> None:
        self.best, self.plans = found, self.plans + 1
        self._tell(found)


def _search(sheet: Sheet, seconds: int, listener: _Listener) -> "Found | None":
    try:
        from forecasting.roster import solve
    except ImportError:
        raise click.ClickException("OR-tools is not installed: add the extra `roster`") from None
    return solve(sheet.plan, seconds=seconds, heard=listener, hint=sheet.shifts, stop=listener.stop)


def _searched(database: Database, sheet: Sheet, token: str, seconds: int) -> None:
    """A search the screen asked for; how it goes and ends is written in its row."""
    error = "defect"
    listener = _Listener(lambda _: None)
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(database, sheet, token, listener, over), daemon=True)
    teller.start()
    try:
        found = _search(sheet, seconds, listener)
        error = "" if found is not None else "timeout"
    except click.ClickException:
        error = "no_solver"
        raise
    finally:
        over.set()
        teller.join()
        with database.transaction() as session:
            roster_searches.end(
                session, office_id=sheet.office_id, day=sheet.day, token=token, error=error, at=datetime.now(UTC)
            )


def _tell(database: Database, sheet: Sheet, token: str, listener: _Listener, over: threading.Event) -> None:
    """Keep the best plan in the row about once a second, and hear there whether to stop. The last look ends it."""
    told = 0
    while True:
        ended = over.wait(_TELL_SECONDS)
        best, plans = listener.best, listener.plans
        better = None
        if best is not None and plans > told:
            better = (rosters.kept_of(sheet.plan, best.shifts), rules.shortfall(sheet.plan, best.shifts))
        with database.transaction() as session:
            go_on = roster_searches.hear(
                session, office_id=sheet.office_id, day=sheet.day, token=token, at=datetime.now(UTC), better=better,
                plans=plans,
            )  # fmt: skip
        told = plans
        if not go_on:
            listener.stop.set()
        if ended:
            return


def _progress(sheet: Sheet, found: "Found") -> str:
    return f"{found.seconds:.1f} s: {100 * rules.shortfall(sheet.plan, found.shifts):.1f} % short"


def _figures(sheet: Sheet, found: "Found") -> Mapping[str, Any]:
    short = rules.gaps(sheet.plan, found.shifts)
    return {
        "office": sheet.office_id, "date": sheet.day.isoformat(), "seconds": round(found.seconds, 1),
        "shortfall": round(rules.shortfall(sheet.plan, found.shifts), 4), "proved": found.proved,
        "gaps": [
            {"start": f"{gap.start // 60:02d}:{gap.start % 60:02d}", "line": gap.line, "need": gap.need,
             "staffed": gap.staffed}
            for gap in short
        ],
    }  # fmt: skip


def _sentence(figures: Mapping[str, Any]) -> str:
    lines = [f"best found in {figures['seconds']} s: {100 * figures['shortfall']:.1f} % short"]
    lines += [f"  {gap['start']} {gap['line']}: {gap['staffed']} of {gap['need']}" for gap in figures["gaps"]]
    return "\n".join(lines)
