"""A clerk at the desk by plain forms, as a browser without a script would act."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"')


def hidden(page: str, form: str = 'id="pad"') -> dict[str, str]:
    """The hidden fields of a form of the page."""
    start = page.index(form)
    return dict(_HIDDEN.findall(page[start : page.index("</form>", start)]))


class Desk:
    """The screen of one clerk."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    @property
    def page(self) -> str:
        """The desk as it is now."""
        answer = self.client.get("/desk")
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self) -> dict[str, str]:
        return hidden(self.page)

    def sit(self, counter: str, profile: str = "") -> TestResponse:
        """Choose a counter."""
        page = self.client.get("/desk/seat").text
        fields = hidden(page, 'class="seating"') | {"counter": counter, "profile": profile}
        return self.client.post("/desk/seat", data=fields)

    def press(self, action: str, **fields: Any) -> TestResponse:
        """Press a key of the pad as it stands; returns the answer before any redirect."""
        return self.client.post("/desk/act", data=self.form() | {"action": action} | fields)

    def done(self, action: str, **fields: Any) -> str:
        """Press a key that must act; returns the page after it."""
        answer = self.press(action, **fields)
        assert answer.status_code == 303, answer.text
        return self.page

    @property
    def state(self) -> str:
        found = re.search(r'data-state="(\w+)"', self.page)
        return found[1] if found else "seat"

    @property
    def number(self) -> str:
        """The number at the counter; empty when nobody is."""
        found = re.search(r'data-number="(\w*)"', self.page)
        return found[1] if found else ""
