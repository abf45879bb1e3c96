"""Content that staff edit as a draft and publish: a flat mapping, so that each change stands alone.

Keys are paths such as ``purpose.move_in.title.en``; values are plain JSON. A draft is the published content
plus at most one change for each key. Changes therefore never depend on each other's order, and taking one
back is dropping it; taking one back after publishing is a new change to the value before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# JSON: text, numbers, truth, lists and mappings of them; None stands for absent.
Value = object
Content = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key with the value before and after; None means absent."""

    key: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a draft may not be published, or (``warning``) what a person should know first.

    ``code`` is stable, ``values`` fill its sentence.
    """

    key: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    warning: bool = False


def applied(published: Content, edits: Content) -> dict[str, Value]:
    """The draft: published content with the edits in it; an edit to None removes its key."""
    merged = {**published, **edits}
    return {key: value for key, value in merged.items() if value is not None}


def changes(published: Content, edits: Content) -> list[Change]:
    """What publishing would change, in order of key; edits back to the published value are none."""
    return [
        Change(key=key, before=published.get(key), after=edits[key])
        for key in sorted(edits)
        if published.get(key) != edits[key]
    ]


def inverse(change: Change) -> Change:
    return Change(key=change.key, before=change.after, after=change.before)


def part(content: Content, prefix: str) -> dict[str, Value]:
    """The keys below ``prefix.``, without it."""
    start = prefix + "."
    return {key[len(start) :]: value for key, value in content.items() if key.startswith(start)}


def names(content: Content, prefix: str) -> list[str]:
    """The first names below ``prefix.``, sorted: the purposes, the rules."""
    return sorted({key.split(".", 1)[0] for key in part(content, prefix)})


def blocking(faults: Iterable[Fault]) -> list[Fault]:
    return [fault for fault in faults if not fault.warning]
