"""A real server on loopback that knows the cast, in a process of its own; starting it costs a second."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from server.api.edge import Surroundings
from server.app import create_app
from server.database import Database
from server.migrations import upgrade
from server.settings import PREFIX, Settings
from tests.cast import found_clinic
from tests.ports import wait_for
from tests.source import ROOT


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[Settings]:
    """Serve from the data folder of ``settings``, at their port, with ``more`` variables; stop at the end."""
    database = Database(settings.sqlalchemy_url)
    upgrade(database)
    database.close()
    app = create_app(settings)
    found_clinic(app)
    Surroundings.of(app).database.close()
    ours = {
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(settings.port),
        "JWT_KEY": settings.jwt_key,
        **more,
    }
    environ = {**os.environ, **{f"{PREFIX}{name}": value for name, value in ours.items()}}
    process = subprocess.Popen([sys.executable, "-m", "server.cli", "serve"], cwd=ROOT, env=environ)
    try:
        wait_for(settings.port)
        yield settings
    finally:
        process.terminate()
        process.wait(10)
