"""Migrations and models are one schema, and the house refuses what was forgotten: a policy, a status."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import JSON, Engine, create_engine, inspect

import app.models
import scheduler.run
from app.db import schema
from app.db.base import Base
from app.db.engines import sqlite_module
from app.db.session import Database
from app.domain import errors
from app.domain.roles import Function
from app.factory import create_app
from app.web import errors as web_errors
from app.web import security
from app.web.sentences import SENTENCES
from config.settings import Settings

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
ROOT = Path(__file__).parents[2]
assert app.models
assert scheduler.run  # the refusals of every room are known


def test_the_migrations_make_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": _another_default}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []


def _another_default(
    _context: Any, _seen: Any, column: Any, as_seen: str | None, _default: Any, as_meant: str | None
) -> bool | None:
    """Whether two defaults differ: JSON by its text, because PostgreSQL knows no ``=`` of it; else as alembic finds."""
    if not isinstance(column.type, JSON):
        return None
    plain = [(text or "").split("::")[0].strip("'\"") for text in (as_seen, as_meant)]
    return plain[0] != plain[1]


def _promises(engine: Engine) -> dict[str, Any]:
    """What alembic does not compare: checks, and the conditions of partial indexes, as the database words them."""
    seen = inspect(engine)
    return {
        table: {
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in seen.get_check_constraints(table)),
            "indexes": sorted(
                (
                    str(i["name"]),
                    i["unique"],
                    tuple(i["column_names"]),
                    str([str(v) for _, v in sorted(i["dialect_options"].items())]),
                )
                for i in seen.get_indexes(table)
            ),
            "unique": sorted((str(u["name"]), tuple(u["column_names"])) for u in seen.get_unique_constraints(table)),
            "foreign": sorted(
                (str(f["name"]), f["referred_table"], tuple(f["constrained_columns"]), str(f.get("options")))
                for f in seen.get_foreign_keys(table)
            ),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def test_the_promises_kept_by_the_database_are_those_of_the_models(database: Database, tmp_path: Path) -> None:
    migrated = _promises(database.engine)
    if database.is_sqlite:
        plain = create_engine(f"sqlite:///{tmp_path}/plain.db", module=sqlite_module())
    else:
        plain = database.engine
        Base.metadata.drop_all(plain)
    Base.metadata.create_all(plain)
    expected = _promises(plain)
    plain.dispose()
    assert set(migrated) == set(expected)
    for table, promises in expected.items():
        assert _worded(migrated[table]) == _worded(promises), table


def _worded(promises: dict[str, Any]) -> str:
    return " ".join(str(promises).split()).replace("( ", "(").replace(" )", ")")


def test_a_newer_schema_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(errors.Unavailable, match="schema_newer"):
        schema.migrate(database)


def _made(database: Database) -> Flask:
    return create_app(Settings(secret_key=SECRET, database_url=database.url), database)


def test_a_route_without_a_policy_stops_the_start(database: Database) -> None:
    web = _made(database)
    web.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="forgotten"):
        security.refuse_undeclared(web)


def test_the_start_itself_looks(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web import health

    monkeypatch.delattr(health.ready, "policy")
    with pytest.raises(RuntimeError, match=r"health\.ready"):
        _made(database)


def test_every_policy_is_a_function_of_the_table(database: Database) -> None:
    views = _made(database).view_functions
    assert {type(security.policy_of(view)) for view in views.values()} == {Function}


def _all_below(kind: type[errors.DomainError]) -> list[type[errors.DomainError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _all_below(below))]


def test_every_refusal_has_a_status() -> None:
    kinds = _all_below(errors.DomainError)[1:]
    assert len(kinds) >= 10
    for kind in kinds:
        assert 400 <= web_errors.status_of(kind()) < 600, kind
        assert kind.code != errors.DomainError.code, kind


def _codes_raised() -> Iterator[tuple[str, str]]:
    names = {kind.__name__ for kind in _all_below(errors.DomainError)}
    for file in sorted(file for room in ("app", "displays", "scheduler") for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in names or not node.args:
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, file.name


def test_every_refusal_has_a_sentence() -> None:
    codes = {kind.code: kind.__name__ for kind in _all_below(errors.DomainError)} | dict(_codes_raised())
    assert len(codes) > 40
    assert {code: where for code, where in codes.items() if code not in SENTENCES} == {}
