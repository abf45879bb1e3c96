"""A small floor for tests: two lines, three counters, moved by keyword."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.calling import Line as Served
from app.domain.floor import Counter, Floor, Line, Party
from app.domain.ticket import State

NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
A, B, BOTH = "a", "b", "both"


def ago(minutes: float = 0, **more: float) -> datetime:
    return NOW - timedelta(minutes=minutes, **more)


def counter(number: int, state: str = "open", serves: str | None = A, **more: Any) -> Counter:
    lines = (Served(category_id=serves),) if serves and state != "closed" else ()
    given = {"since": ago(120), "serves": lines, "profile": serves, "usual": serves, "section": serves or ""} | more
    return Counter(id=f"c{number}", number=str(number), state=state, **given)


def party(step: int, category: str = A, state: State = State.WAITING, *, waited: float = 1, **more: Any) -> Party:
    since = ago(waited)
    given = {"eligible_at": since, "waiting_since": since, "changed_at": since, "ticket": step} | more
    return Party(
        step=step, number=f"{category.upper()}{step:03d}", category=category, service=f"s-{category}",
        phase="accept", state=state, **given,
    )  # fmt: skip


def called(step: int, at: str, *, minutes: float, category: str = A, **more: Any) -> Party:
    return party(step, category, State.CALLED, waited=60, counter=at, called_at=ago(minutes), **more)


def serving(step: int, at: str, *, minutes: float, category: str = A, **more: Any) -> Party:
    return replace(
        called(step, at, minutes=minutes + 1, category=category, **more), state=State.SERVING, started_at=ago(minutes)
    )


def floor(*things: Counter | Party, **more: Any) -> Floor:
    given = {
        "lines": (Line(id=A, target=timedelta(minutes=20), section=A), Line(id=B, target=timedelta(minutes=30),
                                                                            section=B)),
        "profiles": {
            A: (Served(category_id=A),), B: (Served(category_id=B),),
            BOTH: (Served(category_id=A), Served(category_id=B)),
        },
        "minutes": {("s-a", "accept"): 10.0},
    } | more  # fmt: skip
    return Floor(
        counters=tuple(each for each in things if isinstance(each, Counter)),
        parties=tuple(each for each in things if isinstance(each, Party)),
        **given,
    )
