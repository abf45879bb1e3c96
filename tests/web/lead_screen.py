"""A floor lead at the screen by plain forms, and an office that is moved from the past until now."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.ticket import Action
from app.models.place import Counter
from app.services import counters, queue, tickets

_HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"')
_FORM = re.compile(r"<form.*?</form>", re.S)


class Lead:
    """The screen of one lead."""

    def __init__(self, client: FlaskClient, office: str = "ward") -> None:
        self.client, self.office = client, office

    @property
    def page(self) -> str:
        answer = self.client.get(f"/lead?office={self.office}")
        assert answer.status_code == 200, answer.text
        return answer.text

    @property
    def state(self) -> str:
        found = re.search(r'data-state="(\w+)"', self.page)
        assert found is not None
        return found[1]

    def ask(self, what: str, **query: Any) -> TestResponse:
        return self.client.get(f"/lead/{self.office}/ask/{what}", query_string=query)

    def forms(self, page: str | None = None) -> list[dict[str, str]]:
        """The hidden fields of every form of a page that acts."""
        forms = (form for form in _FORM.findall(page or self.page) if "data-lead" in form)
        return [{name: html.unescape(value) for name, value in _HIDDEN.findall(form)} for form in forms]

    def proposal(self, page: str | None = None, **wanted: str) -> dict[str, str]:
        """The only form with these fields."""
        found = [form for form in self.forms(page) if wanted.items() <= form.items()]
        assert len(found) == 1, (wanted, found)
        return found[0]

    def send(self, form: dict[str, str]) -> TestResponse:
        return self.client.post(f"/lead/{self.office}/act", data=form)

    def press(self, **fields: Any) -> TestResponse:
        """Send a form of one's own with a fresh key and token."""
        fresh = self.forms(self.ask("counter", counter="ward-2" if self.office == "ward" else "branch-1").text)[0]
        known = {name: fresh[name] for name in ("csrf_token", "idempotency_key")}
        return self.send(known | {name: str(value) for name, value in fields.items()})

    def done(self, **fields: Any) -> str:
        """Press what must act; returns the screen after it."""
        answer = self.press(**fields)
        assert answer.status_code == 303, answer.text
        return self.page


class Past:
    """Moves the ward office some minutes ago."""

    def __init__(self, database: Database, now: datetime | None = None) -> None:
        self.database, self.now, self._made = database, now or datetime.now(UTC), 0

    def at(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def issue(self, service: str, minutes: float, **more: Any) -> str:
        self._made += 1
        wish = tickets.Wish(services=[service, *more.pop("then", [])], channel="kiosk", **more)
        with self.database.transaction() as session:
            return tickets.issue(
                session, office_id="ward", wish=wish, seed=f"seed {self._made}", secret=b"s" * 32, actor="test",
                at=self.at(minutes),
            ).number  # fmt: skip

    def open(self, counter: str, minutes: float, staff: str = "", **more: Any) -> None:
        with self.database.transaction() as session:
            counters.open_counter(
                session, counter_id=counter, actor="test", at=self.at(minutes), staff_name=staff, **more
            )

    def pause(self, counter: str, minutes: float, back: float) -> None:
        with self.database.transaction() as session:
            counters.pause_counter(
                session, counter_id=counter, actor="test", at=self.at(minutes), back_at=self.at(back)
            )

    def help(self, counter: str, minutes: float) -> None:
        with self.database.transaction() as session:
            counters.ask_help(session, counter_id=counter, wanted=True, actor="test", at=self.at(minutes))

    def call(self, counter: str, minutes: float, *actions: Action) -> int:
        with self.database.transaction() as session:
            called = queue.call_next(session, counter_id=counter, actor="test", at=self.at(minutes))
            assert called is not None
            for action in actions:
                queue.act(session, step_id=called[0].id, action=action, actor="test", at=self.at(minutes))
            return called[0].id


def part(page: str, name: str) -> str:
    """One part of the screen."""
    return page.split(f'data-part="{name}"')[1].split("data-part=", maxsplit=1)[0]


def counter_of(database: Database, name: str) -> Counter:
    with database.snapshot() as session:
        return session.get_one(Counter, name)


def late_moving(past: Past) -> None:
    """One counter at work, two parties waiting, the first past its target."""
    past.open("ward-4", 60, staff="鈴木")
    for minutes in (40, 39, 35, 2):
        past.issue("tennyu", minutes)
    past.call("ward-4", 36, Action.START, Action.FINISH)
    past.call("ward-4", 8, Action.START)
