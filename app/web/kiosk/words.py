"""What stands in the kiosk's addresses, and how it words hours and rows of counters."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flask import request, url_for
from markupsafe import Markup

from app.domain.calendar import business_date, instant
from app.services.kiosk_layout import Choice
from app.services.tickets import MOST_SERVICES
from app.web.formats import clock_words
from app.web.locale import language, t

_FLAGS = ("big", "low", "dark", "pri")
# How long a screen waits, in seconds: untouched until it asks; asking; a ticket; a ticket that was given longer;
# and, where no script runs, any screen and the first one.
SECONDS = MappingProxyType({"idle": 40, "ask": 20, "ticket": 30, "longer": 90, "plain": 120, "fresh": 30, "staff": 60})


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """Large letters, low controls, light on dark, and 優先 asked for."""

    big: bool
    low: bool
    dark: bool
    pri: bool


def modes() -> Modes:
    """The modes of this request."""
    on = {name: request.values.get(name) == "1" for name in _FLAGS}
    return Modes(big=on["big"], low=on["low"] and not on["big"], dark=on["dark"], pri=on["pri"])


def chosen() -> list[str]:
    """The procedures in the address or form, each once, in the order of touching."""
    return list(dict.fromkeys(key for key in request.values.getlist("p") if key))[: MOST_SERVICES + 1]


def kept() -> dict[str, Any]:
    """What goes along from screen to screen: language, modes, what is chosen."""
    found: dict[str, Any] = {name: "1" for name in _FLAGS if request.values.get(name) == "1"}
    if language() != "ja":
        found["lang"] = language()
    if chosen():
        found["p"] = chosen()
    return found


def link(endpoint: str, **changes: Any) -> str:
    """The address of a screen with what goes along; a change to None leaves it out."""
    office = (request.view_args or {}).get("office")
    values = {"office": office} | kept() | changes
    return url_for(f"kiosk.{endpoint}", **{name: value for name, value in values.items() if value not in (None, [])})


def toggle(mode: str, instead_of: str | None = None) -> str:
    """The first screen with a mode on or off; ``instead_of`` is a mode it does not go together with."""
    changes = {mode: None if getattr(modes(), mode) else "1"}
    return link("start", **(changes | ({instead_of: None} if instead_of else {})))


def reason(choice: Choice, at: datetime) -> Markup:
    """Why a purpose cannot be chosen now, in one short line (T4)."""
    if choice.purpose.booked_only:
        return t("予約したかたは 総合案内へ")
    if choice.opens_at and business_date(choice.opens_at) == business_date(at):
        return t("%(clock)sから受け付けます", clock=clock_words(choice.opens_at))
    if choice.until:
        return t("今日の受付は%(clock)sまでです", clock=clock_words(instant(business_date(at), choice.until)))
    return t("今日は受け付けていません")
