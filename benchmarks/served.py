"""The application as it is served, with a bare Flask application beside it in the same process.

`/bare/hello` is what Flask costs; `/bare/insert` is what Flask and one committed SQLite insert cost.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from server import logs
from server.app import create_app
from server.environment import read_settings


def create() -> Callable[..., Any]:
    """Return the WSGI application that granian serves: ours at /, the bare one under /bare."""
    settings = read_settings(os.environ)
    logs.set_up(settings.log)
    return DispatcherMiddleware(create_app(settings), {"/bare": _bare(settings.data_dir / "bare.db")})


def _bare(file: Path) -> Flask:
    app = Flask("bare")
    local, lock = threading.local(), threading.Lock()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(file, timeout=15)
            local.connection.execute("PRAGMA journal_mode=WAL")
            local.connection.execute("PRAGMA synchronous=FULL")
            local.connection.execute("CREATE TABLE IF NOT EXISTS entry (id TEXT PRIMARY KEY, body TEXT)")
        found: sqlite3.Connection = local.connection
        return found

    @app.get("/hello")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.put("/insert/<entry_id>")
    def insert(entry_id: str) -> dict[str, str]:
        with lock, connection() as open_connection:
            row = (entry_id, request.get_data(as_text=True))
            open_connection.execute("INSERT INTO entry VALUES (?, ?)", row)
        return {"id": entry_id}

    return app
