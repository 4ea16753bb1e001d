"""Makes an encrypted backup of the whole database while everything runs."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs import postgresql_tools
from jobs.postgresql_tools import Seen
from jobs.problem import Problem
from jobs.unfinished import copy_beside, whole
from server import private
from server.backup_file import BackupKeys, BackupReader, BackupWriter, keys_of
from server.database import Database
from server.isolation import Extent
from server.services import backup_state
from server.services import job_run as job_runs
from server.services.backup_state import State
from server.services.job_run import Slot
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings

Tell = Callable[[int], Any]
_AT_ONCE = 1 << 20
_PAGES = 2000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands before the rows: of which database, when it was made, and what the database held."""

    kind: str
    made_at: str
    state: State


def backup(database: Database, settings: Settings, file: Path, now: datetime, tell: Tell) -> Manifest:
    """Write the whole database into ``file``, encrypted; the file is there whole or not at all.

    ``tell`` hears of bytes as they are written. Raises `Problem` for a missing key, a file that is there
    already, or a failing program.
    """
    keys = keys_here(settings)
    if file.exists():
        raise Problem(f"{file} exists. Give it a name of its own.")
    with whole(file) as draft, draft.open("wb") as out:
        writer = BackupWriter(out, keys)
        write = _sqlite if database.is_sqlite else _postgresql
        made = write(database, settings, _Started(writer, now, tell))
        writer.finish()
        out.flush()
        os.fsync(out.fileno())
    _record(database, now, made)
    return made


def keys_here(settings: Settings) -> BackupKeys:
    """Return the keys of backups; raises `Problem` where the setting is missing or wrong."""
    try:
        return keys_of(settings.backup_key)
    except ValueError:
        # Never repeat the value: it may be a key with one character wrong.
        raise Problem("AFTERGLOW_BACKUP_KEY must be base64 of 32 bytes.") from None


def manifest_of(reader: BackupReader) -> Manifest:
    """Return what stands before the rows; raises BackupError."""
    said = json.loads(reader.read_exactly(int.from_bytes(reader.read_exactly(4))))
    state = said.pop("state")
    ends = {clinic: (int(position), str(digest)) for clinic, (position, digest) in state.pop("ends").items()}
    return Manifest(**said, state=replace(State(**state), ends=ends))


@dataclass(frozen=True, slots=True)
class _Started:
    writer: BackupWriter
    now: datetime
    tell: Tell

    def begin(self, kind: str, state: State) -> Manifest:
        made = Manifest(kind, self.now.isoformat(), state)
        text = json.dumps(asdict(made)).encode()
        self.writer.write(len(text).to_bytes(4) + text)
        return made

    def take(self, data: bytes) -> None:
        self.writer.write(data)
        self.tell(len(data))


def _postgresql(database: Database, settings: Settings, started: _Started) -> Manifest:
    with database.snapshot(Extent.ALL) as session:
        seen = Seen(backup_state.exported(session), backup_state.others(session))
        made = started.begin("postgresql", backup_state.state(session))
        postgresql_tools.dump(database, settings, seen, started.take)
    return made


def _sqlite(database: Database, _settings: Settings, started: _Started) -> Manifest:
    assert database.file is not None
    with copy_beside(database.file, "backup") as copy:
        copy_sqlite(database.file, copy)
        copied = Database(f"sqlite:///{copy}", database.masters)
        with closing(copied), copied.read(Extent.ALL) as session:
            made = started.begin("sqlite", backup_state.state(session))
        _take_all(started, copy)
    return made


def _take_all(started: _Started, copy: Path) -> None:
    with copy.open("rb") as source:
        for data in iter(lambda: source.read(_AT_ONCE), b""):
            started.take(data)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database with SQLite's own online backup, while others write to ``source``. Raises `Problem`."""
    private.file(target)
    try:
        with closing(sqlite3.connect(source)) as known, closing(sqlite3.connect(target)) as made:
            _copy(known, made)
    except sqlite3.Error as error:
        raise Problem(f"The database can't be copied: {error}.") from None


def _copy(known: sqlite3.Connection, made: sqlite3.Connection) -> None:
    # One view all along: without it every write of somebody else would start the copy anew.
    known.isolation_level = None
    known.execute("BEGIN")
    known.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    # Between two steps signals are heard only where somebody is told of them.
    known.backup(made, pages=_PAGES, progress=lambda *_: None)
    known.execute("ROLLBACK")


def _record(database: Database, now: datetime, made: Manifest) -> None:
    """Put on record in every clinic that all of it left the database; the run ledger says of when it is."""
    slot = Slot(backup_state.RUN, now)
    with database.write(Extent.ALL) as session:
        job_runs.begin(session, slot, now)
        job_runs.end(session, slot, now, sum(made.state.counts.values()))
        for clinic in clinics.everyone(session):
            Work(session, now, system(clinic.id)).audit("backup.create")
