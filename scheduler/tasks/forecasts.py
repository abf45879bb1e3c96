"""Forecasts: past days laid down, the night's run started in a process of its own, the rest of today told again."""

import logging
import os
import subprocess
import sys
import uuid
from datetime import datetime, time

from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock
from app.models.place import Office
from app.services import forecast_store, forecast_today, practice, visit_history
from forecasting import midday

log = logging.getLogger(__name__)
# After the day has closed, been laid down, and the waits were learned.
BEGINS = time(2, 40)
_started: "list[subprocess.Popen[bytes]]" = []


def learn(session: Session, office: str, at: datetime) -> int:
    """Lay down the visits of past days."""
    return visit_history.learn(session, office, at=at)


def night(session: Session, office: str, at: datetime) -> int:
    """Start tonight's forecast of an office unless it is done, running, or there is nothing to learn from.

    Practice data of which nothing was told yet do not wait for the night: somebody is about to look at them.

    The sweep only claims and starts; the process waits for the claim to be committed, does the work, and says in the
    claim's row how it ended. One that was killed is started again, a few times at most.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    if visit_history.first_day(session, office) is None or (clock(at) < BEGINS and not _awaited(session, office)):
        return 0
    token = uuid.uuid4().hex
    if not forecast_store.claim(session, office, today=business_date(at), token=token, at=at):
        return 0
    start(office, token, session.get_bind().engine.url.render_as_string(hide_password=False))
    log.info("the forecast of %s was started", office)
    return 1


def _awaited(session: Session, office: str) -> bool:
    return practice.span(session.get_one(Office, office)) is not None and not forecast_store.ever(session, office)


def start(office: str, token: str, url: str) -> None:
    """Start the process of a claimed night on the database at ``url``."""
    command = [sys.executable, "-m", "app.cli", "forecast", "run", "--office", office, "--night", token]
    _started.append(
        subprocess.Popen(command, env=os.environ | {"MADOGUCHI_DATABASE_URL": url})  # noqa: S603 - our own command
    )


def today(session: Session, office: str, at: datetime) -> int:
    """Tell the rest of today again in every line that has a forecast; returns how many lines."""
    done = 0
    for line in forecast_today.look(session, office, at=at):
        if not line.over or not line.coming:
            continue
        so_far = sum(each.expected for each in line.over)
        by = midday.factor(
            came=line.came, expected_so_far=so_far,
            expected_of_day=so_far + sum(each.expected for each in line.coming), held_share=line.held_share,
        )  # fmt: skip
        told = midday.told_again(
            [each.expected for each in line.coming], [each.low for each in line.coming],
            [each.high for each in line.coming], by,
        )  # fmt: skip
        forecast_today.put(session, line, told, at=at)
        done += 1
    return done
