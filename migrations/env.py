"""Alembic's entry: runs the migrations on the connection it is given (app/db/schema.py)."""

from alembic import context

import app.models
from app.db.base import Base

assert app.models  # noqa: S101 - the tables register themselves
connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=connection.dialect.name == "sqlite"
)
with context.begin_transaction():
    context.run_migrations()
