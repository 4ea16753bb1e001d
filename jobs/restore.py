"""Puts an encrypted backup back, and makes sure that what is there afterwards is what was there then."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jobs import anchor_file, ending_list, erase, erasure_list, postgresql_tools
from jobs.audit_verify import Verified, verify
from jobs.backup import Manifest, Tell, copy_sqlite, keys_here, manifest_of
from jobs.in_use import check_alone
from jobs.problem import Problem
from jobs.unfinished import copy_beside
from server.backup_file import BackupError, BackupReader
from server.database import Database
from server.isolation import Extent
from server.keys.sealing import SealError
from server.services import backup_state, vault
from server.services.audit import anchor
from server.services.audit.verifying import Fault
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings

AFTERWARDS: Sequence[Callable[[Database, Settings, datetime], str]] = (
    ending_list.end_ways_in,
    erase.after_restore,
    ending_list.after_restore,
)
"""What is done to every database that was put back, before anybody uses it, such as erasing again what was
erased since the backup; each returns a sentence for whoever restores."""
_WITHOUT = (
    "Who was erased, withdrew or left since the backup would be back: put the lists there. "
    "Say --without-lists only where nobody did, or they are lost."
)
_HOLDS = (
    "Legal holds that were placed since the backup are lost: place them again before a job runner starts, "
    "which erases what has been kept for long enough."
)
_SEALED = "AFTERGLOW_MASTER_KEY does not open all of it. Put the key of that time behind the present one."
_AT_ONCE = 1 << 20
# An end may be written down a moment after its time, by a machine whose clock differs.
_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which ``file``; ``replace`` what is there; ``migrate`` brings the tables to this version.

    ``let_in`` gives the service's own role its rights, at the end; ``without_lists``: there were no lists of
    erasures and endings, or they are lost; ``while_in_use``: whoever else is connected does not write.
    """

    file: Path
    replace: bool
    migrate: Callable[[Database], Any]
    knows: Callable[[str], bool]
    let_in: Callable[[Database, Settings], Any] = lambda *_: None
    without_lists: bool = False
    while_in_use: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, what the audit chains say, and what was done afterwards."""

    manifest: Manifest
    verdicts: Sequence[Verified]
    done: Sequence[str]


def restore(database: Database, settings: Settings, wish: Wish, now: datetime, tell: Tell) -> Restored:
    """Put ``wish.file`` into ``database``. Nothing changes before all of the file has proven good.

    It is put back in one step. What is left to do then is done before anything else works on the database: a
    mark in it keeps all others out until this has come to its end, now or when it is run again.
    Raises `Problem`.
    """
    try:
        _check_alone(database, settings, wish)
        manifest = _proven(settings, wish.file, tell)
        _check(database, settings, manifest, wish)
        ending_list.note_before_restore(database, settings, now)
        put = _sqlite if database.is_sqlite else _postgresql
        put(database, settings, wish, manifest)
    except BackupError as error:
        raise Problem(f"{wish.file} can't be restored. {error}") from None
    with _to_be_run_again(wish.file):
        return _fit_for_use(database, settings, wish, manifest, now)


def _fit_for_use(
    database: Database, settings: Settings, wish: Wish, manifest: Manifest, now: datetime
) -> Restored:
    _compare(database, manifest)
    wish.migrate(database)
    with database.read(Extent.ALL) as session:
        vault.check(session)
    done = [*(step(database, settings, now) for step in AFTERWARDS), _HOLDS]
    verdicts = list(verify(database, now, [settings.anchor_file]))
    _record(database, settings, now, [one for one in verdicts if is_short(one, manifest)])
    wish.let_in(database, settings)
    with database.write(Extent.ALL) as session:
        backup_state.finish(session)
    return Restored(manifest, verdicts, done)


@contextmanager
def _to_be_run_again(file: Path) -> Iterator[None]:
    """Say what to do about rows that are back where what is left could not be done."""
    again = f"The rows are back, but the database is kept closed. Run: afterglow restore --replace {file}"
    try:
        yield
    except (Problem, OSError) as error:
        raise Problem(f"{error} {again}") from None
    except SealError:  # a backup from before it said which keys it needs
        raise Problem(f"{_SEALED} {again}") from None
    except Exception as error:  # its text may quote rows
        raise Problem(f"{type(error).__name__}. {again}") from error


def _proven(settings: Settings, file: Path, tell: Tell) -> Manifest:
    """Read the whole file once and return what stands at its beginning; raises BackupError."""
    with file.open("rb") as source:
        reader = BackupReader(source, keys_here(settings))
        manifest = manifest_of(reader)
        for data in _parts(reader):
            tell(len(data))
    return manifest


def _check(database: Database, settings: Settings, manifest: Manifest, wish: Wish) -> None:
    kind = "sqlite" if database.is_sqlite else "postgresql"
    if manifest.kind != kind:
        raise Problem(f"It is a backup of {manifest.kind}, and the database is {kind}.")
    if not wish.knows(manifest.state.revision):
        raise Problem("It was made by a newer version of Afterglow: restore it with that one.")
    with database.read(Extent.ALL) as session:
        if not backup_state.is_owner(session):
            raise Problem("This needs the owner's address: set AFTERGLOW_MIGRATION_URL.")
        if not (wish.replace or backup_state.is_empty(session)):
            raise Problem("The database is not empty. Say --replace to lose what is in it.")
    if not all(database.masters and database.masters.has(one) for one in manifest.state.masters):
        raise Problem(_SEALED)
    _check_lists(settings, manifest, wish)


def _check_alone(database: Database, settings: Settings, wish: Wish) -> None:
    if not wish.while_in_use:
        check_alone(database, settings)


def _check_lists(settings: Settings, manifest: Manifest, wish: Wish) -> None:
    """Raise `Problem` where who was erased since the backup would be back: no list is not an empty one."""
    erasures, ended = erasure_list.file_of(settings), ending_list.file_of(settings)
    # A list that can't be read is no list of nobody, and without the noted ends it could not end.
    erasure_list.read(erasures)
    ending_list.read(ended)
    for _ in anchor_file.batches(settings.anchor_file):
        pass
    if wish.without_lists:
        return
    for file in (erasures, ended):
        if not file.exists():
            raise Problem(f"{file} is not there. {_WITHOUT}")
        if not erasure_list.knows_all_since(file, datetime.fromisoformat(manifest.made_at)):
            raise Problem(f"{file} was begun after the backup: it does not know of all since. {_WITHOUT}")


def _sqlite(database: Database, settings: Settings, wish: Wish, manifest: Manifest) -> None:
    target = database.file
    assert target is not None
    with copy_beside(target, "restore") as copy:
        with wish.file.open("rb") as source, copy.open("wb") as out:
            out.writelines(_rows(source, settings))
        _check_soundness(copy)
        with closing(Database(f"sqlite:///{copy}", database.masters)) as copied:
            _compare(copied, manifest)
            _leave_unfinished(copied)
        # Again, as late as can be: all that takes minutes, and an API may have been started meanwhile.
        _check_alone(database, settings, wish)
        database.close()
        copy_sqlite(copy, target)


def _leave_unfinished(copied: Database) -> None:
    with copied.write(Extent.ALL) as session:
        backup_state.leave_unfinished(session)


def _check_soundness(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as known:
        if known.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Problem("What is in the backup is no sound database.")


def _postgresql(database: Database, settings: Settings, wish: Wish, _manifest: Manifest) -> None:
    _check_alone(database, settings, wish)
    database.close()
    with wish.file.open("rb") as source:
        postgresql_tools.restore(
            database, settings, lambda: _rows_anew(source, settings), backup_state.UNFINISHED
        )


def _rows_anew(source: Any, settings: Settings) -> Iterator[bytes]:
    source.seek(0)
    return _rows(source, settings)


def _rows(source: Any, settings: Settings) -> Iterator[bytes]:
    reader = BackupReader(source, keys_here(settings))
    manifest_of(reader)
    yield from _parts(reader)


def _parts(reader: BackupReader) -> Iterator[bytes]:
    return iter(lambda: reader.read(_AT_ONCE), b"")


def _compare(database: Database, manifest: Manifest) -> None:
    """Raise `Problem` where not every row came back, or a chain ends otherwise than it did."""
    with database.read(Extent.ALL) as session:
        counted = backup_state.counts(session, list(manifest.state.counts))
        ends = backup_state.ends(session)
    wrong = sorted(name for name, rows in manifest.state.counts.items() if counted[name] != rows)
    if wrong:
        raise Problem(f"What was restored has another number of rows in: {', '.join(wrong)}.")
    if ends != manifest.state.ends:
        raise Problem("What was restored has audit chains that end otherwise than they did.")


def _record(database: Database, settings: Settings, now: datetime, short: Sequence[Verified]) -> None:
    """Put the restoring on record; where ends were noted outside of what did not come back, note that too."""
    with database.write(Extent.ALL) as session:
        for clinic in clinics.everyone(session):
            Work(session, now, system(clinic.id)).audit("backup.restore")
    for one in short:
        with database.read() as session:
            end = anchor.take(Work(session, now, system(one.clinic_id)), restored=True)
        anchor_file.append(settings.anchor_file, [end] if end else [])


def is_short(one: Verified, manifest: Manifest) -> bool:
    """Say whether all that is wrong is that events since the backup are missing, as they must be.

    An end that was noted before it speaks of what somebody had taken away by then, or put in its place.
    """
    if one.found is None or one.noted is None or one.found.fault is Fault.FORGED:
        return False
    return one.noted > datetime.fromisoformat(manifest.made_at) - _APART
