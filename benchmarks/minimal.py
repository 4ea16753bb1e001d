"""The minimal stack: Flask, JWT, marshmallow, a SQLAlchemy Core insert of one row. No check beyond these."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from flask import Flask, request
from flask_jwt_extended import JWTManager, get_jwt_identity, jwt_required
from marshmallow import Schema, fields
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    Uuid,
    create_engine,
    event,
    insert,
)

METADATA = MetaData()
ENTRIES = Table(
    "minimal_entries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False, index=True),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("items", JSON, nullable=False),
    Column("safety", String(32)),
)
_INSERT = insert(ENTRIES)


class EntryShape(Schema):
    """The same body as ours."""

    id = fields.UUID(dump_only=True)
    occurred_at = fields.AwareDateTime(required=True)
    zone = fields.String(required=True)
    items = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    safety = fields.String()


def create(url: str, jwt_key: str) -> Flask:
    """Return the application. Its table must be there (`make_table`)."""
    app = Flask("minimal")
    app.config.update(JWT_SECRET_KEY=jwt_key, JWT_DECODE_AUDIENCE="afterglow-api")
    JWTManager(app)
    engine, lock = _engine(url)
    shape = EntryShape()

    @app.get("/hello")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.put("/entries/<uuid:entry_id>")
    @jwt_required()
    def put(entry_id: UUID) -> tuple[Mapping[str, Any], int]:
        body: dict[str, Any] = shape.load(request.get_json())
        row = {"safety": None, **body, "id": entry_id, "account_id": UUID(get_jwt_identity())}
        with lock, engine.begin() as connection:
            connection.execute(_INSERT, row)
        dumped: dict[str, Any] = shape.dump(row)
        return dumped, 201

    return app


def make_table(url: str) -> None:
    """Make the one table where it is missing."""
    engine = create_engine(url)
    METADATA.create_all(engine)
    engine.dispose()


def _engine(url: str) -> tuple[Engine, AbstractContextManager[Any]]:
    """Return an engine as durable as ours. On SQLite writers queue in the process: its fastest way."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=10, max_overflow=10), nullcontext()
    engine = create_engine(url, connect_args={"timeout": 15, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine, threading.Lock()


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
