"""Patients whose erasure was confirmed: their rows go, and the list outside the database hears of it."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from jobs import ending_list, erasure_list
from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_clinic
from jobs.erasure_list import Erased
from server.database import Database
from server.isolation import Extent
from server.services import backup_state
from server.services.people import clinic as clinics
from server.services.people import closing, erasing
from server.services.people import erasure as erasures
from server.services.people.erasure import Tombstone
from server.services.work import Work, system
from server.settings import Settings

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Delete what is due, few rows a transaction; return how many patients are gone."""
    try:
        return each_clinic(around, "erasing", partial(_clinic, around, now), closed_too=True)
    finally:
        # What is gone is noted, whatever went wrong at another clinic; what was ended, whatever that list is.
        try:
            note(around.settings, around.database, now)
        finally:
            ending_list.note(around.settings, around.database, now)


def note(settings: Settings, database: Database, now: datetime) -> None:
    """Write what was done since into the list outside the database, and let no file keep it."""
    file = erasure_list.file_of(settings)
    if not file.exists():
        _begin_list(database, file)
    with database.read(Extent.ALL) as session:
        done = {one.id: erased(one) for one in erasures.done(session, unlisted=True)}
    try:
        missing = _missing(database, file)
    finally:  # whatever the list is
        _write_down(database, file, now, done)
    if others := [one for one in missing if one not in done.values()]:
        erasure_list.append(file, others)


def _write_down(database: Database, file: Path, now: datetime, done: Mapping[UUID, Erased]) -> None:
    if not done:
        return
    # First the list, then the mark: a line twice is harmless, a line that is missing is not.
    erasure_list.append(file, done.values())
    with database.write(Extent.ALL) as session:
        erasures.note_listed(session, now, list(done))
    database.scrub()


def _missing(database: Database, file: Path) -> list[Erased]:
    """Return who is not in the list: where they were erased, or a clinic closed, another one may lie.

    Each list says that it knows of all, and a restore believes it. How far it is nobody can say: a line that
    could not be read was taken out, or one of its own was added while those of others could not be.
    """
    known_there = {(one.clinic_id, one.patient_id) for one in erasure_list.read(file)}
    with database.read(Extent.ALL) as session:
        has_all = erasures.gone(session) <= known_there
    found = _closed(database) if has_all else known(database)
    return [one for one in found if (one.clinic_id, one.patient_id) not in known_there]


def _closed(database: Database) -> list[Erased]:
    with database.read(Extent.ALL) as session:
        return [Erased(one.id, None, one.erased_at) for one in clinics.ever(session) if one.erased_at]


def _begin_list(database: Database, file: Path, since: datetime | None = None) -> None:
    """Begin the list with all that the database knows; without a clinic in it there is none to begin.

    ``since``: from when on nobody is missing in it; None for the first clinic's beginning.
    """
    with database.read(Extent.ALL) as session:
        since = since or backup_state.first_moment(session)
    if since is not None:
        erasure_list.begin(file, since, known(database))


def known(database: Database) -> list[Erased]:
    """Return all that the database itself knows: closed clinics, and the tombstones of patients."""
    with database.read(Extent.ALL) as session:
        gone = [erased(one) for one in erasures.done(session)]
    return [*_closed(database), *gone]


def note_clinic(settings: Settings, clinic_id: UUID, now: datetime) -> bool:
    """Write into the list, where it is here, that a clinic's keys were destroyed; return whether it was.

    A list is begun by the job alone: with this line only it would pass for one that knows of all.
    """
    file = erasure_list.file_of(settings)
    if file.exists():
        erasure_list.append(file, [Erased(clinic_id, None, now)])
        return True
    return False


def to_the_end(database: Database, now: datetime, clinic_id: UUID, erasure_id: UUID) -> None:
    """Delete all rows of one erasure now, whatever holds it: a restore has brought them back."""
    while _step(database, now, clinic_id, erasure_id, heeds_holds=False):
        pass


def apply(settings: Settings, database: Database, now: datetime, listed: Sequence[Erased]) -> int:
    """Erase again whom a restore has brought back: those of ``listed`` and of the database's own tombstones.

    Return how many were there again, clinics included. Nobody else may be at work meanwhile.
    """
    # Clinics last: to take somebody out of one its keys are needed.
    in_order = sorted({*listed, *known(database)}, key=lambda one: (one.patient_id is None, one.at))
    back = sum(_again(database, now, one) for one in in_order)
    if not (file := erasure_list.file_of(settings)).exists():
        # Who was erased between the backup and the loss of the list is not known here: it begins now.
        _begin_list(database, file, now)
    note(settings, database, now)
    return back


def after_restore(database: Database, settings: Settings, now: datetime) -> str:
    """Erase again whom a backup has brought back, and say so; `jobs.restore` asks for it. Raises Problem."""
    file = erasure_list.file_of(settings)
    is_there = file.exists()  # it is begun anew below
    back = apply(settings, database, now, erasure_list.read(file))
    if not is_there:
        return f"THERE WAS NO LIST OF ERASURES ({file}): who was erased since is here again."
    return f"Erased again: {back}, by the list of erasures."


def _again(database: Database, now: datetime, one: Erased) -> bool:
    work = partial(Work, now=now, actor=system(one.clinic_id))
    with database.write() as session:
        if one.patient_id is None:
            return closing.erase_again(work(session))
        found = erasures.again(work(session), one.patient_id)
    if found is None:
        return False
    to_the_end(database, now, one.clinic_id, found.id)
    return True


def _clinic(around: Around, now: datetime, clinic_id: UUID) -> int:
    with around.database.read() as session:
        due = erasures.due(Work(session, now, system(clinic_id)))
    done = [
        careful(log, f"erasure {one} could not go on", partial(_erase, around, now, clinic_id, one))
        for one in due
    ]
    if None in done:
        raise Incomplete("not every erasure could go on")
    return sum(one or 0 for one in done)


def _erase(around: Around, now: datetime, clinic_id: UUID, erasure_id: UUID) -> bool:
    while _step(around.database, now, clinic_id, erasure_id) and not around.stopping.is_set():
        pass
    with around.database.read() as session:
        return erasures.is_done(Work(session, now, system(clinic_id)), erasure_id)


def _step(
    database: Database, now: datetime, clinic_id: UUID, erasure_id: UUID, heeds_holds: bool = True
) -> bool:
    with database.write() as session:
        work = Work(session, now, system(clinic_id))
        return erasing.step(work, erasure_id, heeds_holds=heeds_holds)


def erased(tombstone: Tombstone) -> Erased:
    """Return what the list says of a tombstone."""
    return Erased(tombstone.clinic_id, tombstone.patient_id, tombstone.at, tombstone.receipt_hash)
