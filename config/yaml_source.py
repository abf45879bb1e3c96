"""YAML files read so that every value still knows its file and line.

PyYAML forgets where a value stood, takes the last of two equal keys and reads ``8:30`` as 510 and
``no`` as False. A clerk who edits these files must be told the line, and meant what is written: here
numbers are decimal, truth is ``true`` or ``false``, and everything else is text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong, and where: path of the file, line from 1, dotted field, a sentence."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int


@dataclass(slots=True)
class Source:
    """The joined content of several files: ``data``, the ``place`` of every path in it, and what was wrong."""

    root: str
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, key: Key) -> Place:
        """Where ``key`` stands; for something absent, its nearest parent."""
        for end in range(len(key), 0, -1):
            if key[:end] in self.places:
                return self.places[key[:end]]
        return Place(file=self.root, line=1)

    def problem(self, key: Key, message: str) -> Problem:
        place = self.place(key)
        return Problem(file=place.file, line=place.line, field=dotted(key, self.data), message=message)


class _PlainLoader(yaml.CSafeLoader):
    """SafeLoader with only the readings nobody is surprised by."""


_PlainLoader.yaml_implicit_resolvers = {}

for _tag, _pattern, _first in (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?[0-9]+\.[0-9]+$", list("-0123456789")),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def dotted(key: Key, data: Any = None) -> str:
    """A path as people read it; list items that have an ``id`` are named by it: ``services[juminhyo].fee``."""
    text, value = "", data
    for part in key:
        value = _step(value, part)
        if isinstance(part, int):
            name = value.get("id", part) if isinstance(value, dict) else part
            text += f"[{name}]"
        else:
            text += f".{part}" if text else str(part)
    return text or "(document)"


def _step(value: Any, part: str | int) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def read(directory: Path) -> Source:
    """Every ``*.yaml`` below ``directory``, in order of path, joined: lists of one name follow each other.

    The files of ``offices/1_NAME/`` together are the office NAME (the digits only give the order).
    Problems of syntax (and an empty directory) are in ``problems``; nothing is raised for content.
    """
    source = Source(root=str(directory))
    paths = sorted(directory.rglob("*.yaml"))
    if not paths:
        source.problems.append(Problem(str(directory), 1, "(document)", "no .yaml file here"))
    for path in paths:
        root = _root(source, path)
        if root is not None:
            at, into = _container(source, path, directory)
            for key, key_node, node in _pairs(source, str(path), at, root):
                _merge(source, Place(str(path), _line(key_node)), (*at, key), into, node)
    return source


def _root(source: Source, path: Path) -> yaml.MappingNode | None:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_PlainLoader)
    except UnicodeDecodeError:
        source.problems.append(Problem(str(path), 1, "(document)", "not UTF-8 text"))
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        source.problems.append(Problem(str(path), line, "(document)", getattr(error, "problem", None) or "not YAML"))
        return None
    if not isinstance(root, yaml.MappingNode):
        source.problems.append(Problem(str(path), 1, "(document)", "a mapping of names to values is expected"))
        return None
    return root


def _container(source: Source, path: Path, directory: Path) -> tuple[Key, dict[str, Any]]:
    """Where the names of a file go: the document itself, or the office whose directory it is in."""
    parts = path.relative_to(directory).parts
    if len(parts) < 3 or parts[0] != "offices":
        return (), source.data
    offices = source.data.setdefault("offices", [])
    name = re.sub(r"^\d+_", "", parts[1])
    for index, office in enumerate(offices):
        if office.get("id") == name:
            return ("offices", index), office
    offices.append({"id": name})
    source.places[("offices", len(offices) - 1)] = Place(str(path), 1)
    return ("offices", len(offices) - 1), offices[-1]


def _merge(source: Source, place: Place, key: Key, into: dict[str, Any], node: yaml.Node) -> None:
    name = str(key[-1])
    source.places.setdefault(key, place)
    if isinstance(node, yaml.SequenceNode) and isinstance(into.get(name, []), list):
        items = into.setdefault(name, [])
        for item in node.value:
            items.append(_value(source, place.file, (*key, len(items)), item))
        return
    if name in into:
        source.problems.append(Problem(place.file, place.line, dotted(key, source.data), "written elsewhere already"))
        return
    into[name] = _value(source, place.file, key, node)
    source.places[key] = place


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _pairs(source: Source, name: str, at: Key, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    seen: set[str] = set()
    for key_node, value in node.value:
        key = str(key_node.value)
        if key in seen:
            source.problems.append(Problem(name, _line(key_node), dotted((*at, key)), "written twice"))
            continue
        seen.add(key)
        yield key, key_node, value


def _value(source: Source, name: str, at: Key, node: yaml.Node) -> Any:
    source.places[at] = Place(name, _line(node))
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, key_node, value in _pairs(source, name, at, node):
            result[key] = _value(source, name, (*at, key), value)
            # The line of the name, not of its value: that is where an editor puts the cursor.
            source.places[(*at, key)] = Place(name, _line(key_node))
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(source, name, (*at, index), item) for index, item in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    match node.tag.rsplit(":", 1)[-1]:
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case _:
            return text
