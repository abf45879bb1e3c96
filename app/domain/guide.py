"""The life-event guide: a few plain answers decide the procedures, and a short code stands for the answers.

The code (``M7K 2Q4``) is all that a link, a QR code or the printed 受付案内票 carries: which event, which answers,
and check bits over the guide they were given in. Nothing is stored, nothing names a person or a procedure, and a
code from another edition of the guide is refused instead of being read as something else.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.errors import NotFound
from app.domain.visit import Stop, whole
from app.domain.wait import Range, rounded

UNKNOWN = "unknown"
# No 0, 1, I or O: 32 letters that nobody confuses on paper or by telephone.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CHECK_BITS, _LETTER_BITS, _GROUP = 12, 5, 3

Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question and its answers; "don't know" (``unknown``) is always one more and never a dead end."""

    id: str
    answers: tuple[str, ...] = ("yes", "no")

    @property
    def all(self) -> tuple[str, ...]:
        """The answers in the order of the code, "don't know" first."""
        return (UNKNOWN, *self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStep:
    """A procedure of an event; without ``question`` it is always needed."""

    service: str
    question: str | None = None
    answers: frozenset[str] = frozenset()

    def needed(self, answers: Answers) -> bool:
        """Whether the answers ask for it; not knowing, or not having answered, keeps it as a candidate."""
        if self.question is None:
            return True
        given = answers.get(self.question, UNKNOWN)
        return given == UNKNOWN or given in self.answers


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEvent:
    """Something that happened to a family. ``asks_day``: when it happened decides the deadlines."""

    id: str
    steps: tuple[GuideStep, ...]
    asks_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last day (None: the day of the event is not known) of one procedure."""

    service: str
    day: date | None


class Guide:
    """All events and questions of a municipality, as one edition."""

    def __init__(self, events: Sequence[LifeEvent], queries: Iterable[Query]) -> None:
        self.events = {event.id: event for event in events}
        self._queries = {query.id: query for query in queries}
        shape = [(e.id, [(s.service, s.question, sorted(s.answers)) for s in e.steps]) for e in events]
        asked = [(query.id, query.answers) for query in self._queries.values()]
        self._edition = repr((shape, asked)).encode()

    def event(self, event_id: str) -> LifeEvent:
        """Raises NotFound."""
        if event_id not in self.events:
            raise NotFound(what="life_event")
        return self.events[event_id]

    def queries(self, event: LifeEvent) -> list[Query]:
        """The questions of an event, each once, in the order in which its steps need them."""
        names = dict.fromkeys(step.question for step in event.steps if step.question is not None)
        return [self._queries[name] for name in names]

    def known(self, event: LifeEvent, given: Answers) -> dict[str, str]:
        """What of the given answers the event really asks and offers; the rest of an address is nobody's matter."""
        return {q.id: given[q.id] for q in self.queries(event) if given.get(q.id) in q.all}

    def services(self, event: LifeEvent, answers: Answers) -> list[str]:
        """The procedures in a feasible order: the event's own order, each once."""
        return list(dict.fromkeys(step.service for step in event.steps if step.needed(answers)))

    def code(self, event: LifeEvent, answers: Answers) -> str:
        """The code of an event and its answers; what was not answered counts as not known."""
        number = 0
        for each in self.events.values():
            if each.id == event.id:
                break
            number += self._size(each)
        place = 0
        for query in self.queries(event):
            place = place * len(query.all) + query.all.index(answers.get(query.id, UNKNOWN))
        number += place
        bits = number << _CHECK_BITS | self._check(number)
        return "".join(LETTERS[bits >> _LETTER_BITS * at & 31] for at in reversed(range(self._length)))

    def read(self, code: str) -> tuple[LifeEvent, dict[str, str]]:
        """The event and answers of a code as people type it. Raises NotFound for anything else."""
        text = normal_code(code)
        if len(text) != self._length or any(letter not in LETTERS for letter in text):
            raise NotFound(what="guide")
        bits = 0
        for letter in text:
            bits = bits << _LETTER_BITS | LETTERS.index(letter)
        number = bits >> _CHECK_BITS
        if bits & (1 << _CHECK_BITS) - 1 != self._check(number):
            raise NotFound(what="guide")
        for event in self.events.values():
            if number < self._size(event):
                return event, self._answers(event, number)
            number -= self._size(event)
        raise NotFound(what="guide")

    @property
    def _length(self) -> int:
        most = max(1, sum(self._size(event) for event in self.events.values()) - 1)
        letters = -(-(most.bit_length() + _CHECK_BITS) // _LETTER_BITS)
        return -(-letters // _GROUP) * _GROUP

    def _answers(self, event: LifeEvent, place: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for query in reversed(self.queries(event)):
            place, index = divmod(place, len(query.all))
            found[query.id] = query.all[index]
        return {query.id: found[query.id] for query in self.queries(event)}

    def _size(self, event: LifeEvent) -> int:
        size = 1
        for query in self.queries(event):
            size *= len(query.all)
        return size

    def _check(self, number: int) -> int:
        digest = hashlib.sha256(self._edition + b"|%d" % number).digest()
        return int.from_bytes(digest[:4]) & (1 << _CHECK_BITS) - 1


def normal_code(text: str) -> str:
    """A code as people type it (full width, lower case, spaces, hyphens) in its one form."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c not in " -‐−\u3000")


def spaced(code: str) -> str:
    """``M7K2Q4`` as it is printed: ``M7K 2Q4``."""
    return " ".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def last_day(happened: date, days: int) -> date:
    """The last day of a deadline of ``days`` after the event; one that counts the event's own day has one less."""
    return happened + timedelta(days=days)


def minutes(stops: Sequence[Stop]) -> Range | None:
    """Minutes at the counters without any waiting in line: from nothing left to wait for behind the counters, to
    everything made one after the other; None for no procedures."""
    if not stops:
        return None
    heard = sum(stop.accept + stop.deliver for stop in stops)
    made = whole([Stop(wait=Range(0, 0), accept=s.accept, back=s.back, deliver=s.deliver) for s in stops])
    return rounded(heard, max(heard * 1.3, made.high if made else heard))
