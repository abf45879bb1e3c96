"""The file of a backup: gzip of JSON lines, the same for both databases, whole or refused.

{"madoguchi": 1, "schema": revision, "made_at": …, "from": "sqlite", "mark": …}
{"table": name, "columns": [[name, kind], …]}      kind: plain, instant, date or json
[value, …]                                         one line a row
{"end": rows of all tables, "sha256": of every line before}
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from app.domain.errors import InvalidInput

FORMAT = 1
Columns = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a backup says of itself. ``mark`` tells installations with different secrets apart."""

    schema: str
    made_at: datetime
    source: str
    mark: str


@dataclass(slots=True)
class Writer:
    """Writes the lines and counts them."""

    _out: gzip.GzipFile
    _digest: Any
    rows: int = 0

    def line(self, value: Any) -> None:
        raw = orjson.dumps(value) + b"\n"
        self._digest.update(raw)
        self._out.write(raw)

    def table(self, name: str, columns: Columns) -> None:
        self.line({"table": name, "columns": [list(column) for column in columns]})

    def row(self, values: Sequence[Any]) -> None:
        self.line(values)
        self.rows += 1


@contextmanager
def writing(path: Path, header: Header) -> Iterator[Writer]:
    """A new file, readable by its owner only; it has its name only once it is whole and on the disk."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as out:
                digest = hashlib.sha256()
                writer = Writer(out, digest)
                writer.line({"madoguchi": FORMAT, "schema": header.schema, "made_at": header.made_at,
                             "from": header.source, "mark": header.mark})  # fmt: skip
                yield writer
                out.write(orjson.dumps({"end": writer.rows, "sha256": digest.hexdigest()}) + b"\n")
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _lines(path: Path) -> Iterator[Any]:
    """Every line but the last, which must fit them; raises InvalidInput("backup_broken")."""
    digest, held, rows = hashlib.sha256(), b"", 0
    try:
        with gzip.open(path, "rb") as raw:
            for line in raw:
                if held:
                    digest.update(held)
                    value = orjson.loads(held)
                    rows += isinstance(value, list)
                    yield value
                held = line
        end = orjson.loads(held)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InvalidInput("backup_broken") from error
    whole = isinstance(end, dict) and end.get("sha256") == digest.hexdigest() and end.get("end") == rows
    if not whole:
        raise InvalidInput("backup_broken")


def _header(value: Any) -> Header:
    if not isinstance(value, dict) or value.get("madoguchi") != FORMAT:
        raise InvalidInput("backup_broken")
    return Header(
        schema=str(value["schema"]), made_at=datetime.fromisoformat(value["made_at"]), source=str(value["from"]),
        mark=str(value["mark"]),
    )  # fmt: skip


def verify(path: Path) -> Header:
    """Read the whole file once; raises InvalidInput("backup_broken") unless every byte is as it was written."""
    lines = _lines(path)
    header = _header(next(lines, None))
    for _ in lines:
        pass
    return header


def tables(path: Path) -> Iterator[tuple[str, list[tuple[str, str]], list[dict[str, Any]]]]:
    """``(table, columns, rows)`` in batches, in the order of the file; an empty table comes once without rows."""
    name, columns, batch = "", list[tuple[str, str]](), list[dict[str, Any]]()
    for value in _lines(path):
        if isinstance(value, dict):
            if name:
                yield name, columns, batch
            name, batch = value.get("table", ""), []
            columns = [(column, kind) for column, kind in value.get("columns", ())]
            continue
        batch.append({column: _value(kind, item) for (column, kind), item in zip(columns, value, strict=True)})
        if len(batch) == 1_000:
            yield name, columns, batch
            batch = []
    if name:
        yield name, columns, batch


def _value(kind: str, item: Any) -> Any:
    if item is None:
        return None
    if kind == "instant":
        return datetime.fromisoformat(item)
    return date.fromisoformat(item) if kind == "date" else item
