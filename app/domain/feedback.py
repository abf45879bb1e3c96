"""What a party says of its visit with one tap (よかった, ふつう, こまった), and what it was about; nothing personal."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

# So long after the visit its page takes an answer.
OPEN_FOR = timedelta(days=7)


class Verdict(StrEnum):
    """How the visit was."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


class Topic(StrEnum):
    """What the answer is about: chosen from a list, because words of one's own could name a person."""

    WAIT = "wait"
    EXPLANATION = "explanation"
    MANNER = "manner"
    WAY = "way"
    PAPERS = "papers"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How many parties said the same of the same: a day, a line, a service. A visit counts with its first service."""

    day: date
    category: str
    service: str
    verdict: Verdict
    topic: Topic | None
    count: int


# The reports (domain/report.py) in which answers are counted beside waits. An answer knows no hour, counter or door:
# they would lead back to the party.
KEYS: Mapping[str, Callable[[Said], str]] = MappingProxyType(
    {
        "days": lambda said: said.day.isoformat(),
        "months": lambda said: f"{said.day:%Y-%m}",
        "weekdays": lambda said: str(said.day.isoweekday()),
        "categories": lambda said: said.category,
        "services": lambda said: said.service,
        "days-categories": lambda said: f"{said.day.isoformat()}|{said.category}",
    }
)


def counts(said: Iterable[Said], by: Callable[[Said], str]) -> dict[str, dict[Verdict, int]]:
    """How many said what, by the key of a report."""
    found: dict[str, dict[Verdict, int]] = {}
    for each in said:
        row = found.setdefault(by(each), dict.fromkeys(Verdict, 0))
        row[each.verdict] += each.count
    return found


def topics(said: Iterable[Said], verdict: Verdict) -> list[tuple[Topic, int]]:
    """What those of one verdict named, the most named first."""
    found: dict[Topic, int] = {}
    for each in said:
        if each.verdict == verdict and each.topic is not None:
            found[each.topic] = found.get(each.topic, 0) + each.count
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
