"""The list of endings outside the database, a line each: withdrawn consents, closed accounts, and who leaves.

A backup from before does not know of them. Ids, purposes and moments alone; it lies beside the list of
erasures (`jobs.erasure_list`), and who restores applies it again (`apply`).
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from jobs import erasure_list
from jobs.careful import careful
from jobs.problem import Problem
from server.clinical.vocabulary import ConsentWay, Purpose
from server.database import Database
from server.isolation import Extent
from server.services import backup_state
from server.services.people import ending as endings
from server.services.people.ending import Ending
from server.services.work import Work, system
from server.settings import Settings

log = logging.getLogger(__name__)
# What is written down at a moment may be committed a little later, by a machine whose clock differs.
OVERLAP = timedelta(hours=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def file_of(settings: Settings) -> Path:
    """Return where the list lies."""
    return beside(erasure_list.file_of(settings))


def beside(erasures: Path) -> Path:
    """Return the list of endings that belongs to a list of erasures: `x.jsonl`, `x.endings.jsonl`."""
    return erasures.with_suffix(".endings.jsonl")


def note(settings: Settings, database: Database, now: datetime) -> None:
    """Add what was ended and does not stand in the list yet. The file itself says how far it is.

    What a clock that was ahead ended in an hour still to come says nothing of that.
    """
    file = file_of(settings)
    if not file.exists() and not _begin(database, file):
        return
    erasure_list.append_lines(file, _unlisted(database, file, now))


def _unlisted(database: Database, file: Path, now: datetime) -> list[str]:
    known = read(file)
    moment = max((one.at for one in known if one.at <= now), default=_BEGINNING + OVERLAP) - OVERLAP
    with database.read(Extent.ALL) as session:
        found = endings.since(session, moment)
    listed = set(known)
    return [line(one) for one in found if one not in listed]


def _begin(database: Database, file: Path) -> bool:
    """Begin the list where there is a clinic: that of a new machine would be none for an old backup."""
    with database.read(Extent.ALL) as session:
        since = backup_state.first_moment(session)
    if since is not None:
        erasure_list.begin(file, since)
    return since is not None


def apply(database: Database, now: datetime, listed: Sequence[Ending]) -> int:
    """End again what a restore has brought back; return how much. Nobody else may be at work meanwhile."""
    return sum(_again(database, now, one) for one in sorted(listed, key=lambda one: one.at))


def note_before_restore(database: Database, settings: Settings, now: datetime) -> None:
    """Add what was ended in a database that is about to be replaced: whoever does so each minute was stopped.

    Where its tables are another version's there is no asking, and the list says what it says.
    """
    file = file_of(settings)
    if file.exists():
        lines = careful(log, "what was ended last can't be asked for", partial(_there, database, file, now))
        erasure_list.append_lines(file, lines or [])


def _there(database: Database, file: Path, now: datetime) -> list[str]:
    with database.read(Extent.ALL) as session:
        if backup_state.is_empty(session) or backup_state.is_unfinished(session):
            return []
    return _unlisted(database, file, now)


def after_restore(database: Database, settings: Settings, now: datetime) -> str:
    """End again what a backup has brought back, and say so. Raises Problem."""
    file = file_of(settings)
    again = apply(database, now, read(file))
    if not file.exists():
        erasure_list.begin(file, now)
        return f"THERE WAS NO LIST OF ENDINGS ({file}): what was withdrawn or closed since is open again."
    return f"Withdrawn or closed again: {again}, by the list of endings."


def end_ways_in(database: Database, _settings: Settings, now: datetime) -> str:
    """End every way in that a backup has brought back, ended and stolen ones among them, and say so."""
    with database.write(Extent.ALL) as session:
        ended = endings.end_ways_in(session, now)
    return (
        f"Sign-ins ended: {ended}. Everybody signs in again; links and invitations are to be asked for anew."
    )


def line(one: Ending) -> str:
    """Return an ending as a line without its end."""
    said = {"clinic_id": str(one.clinic_id), "object_id": str(one.object_id), "at": one.at.isoformat()}
    if one.leaves:
        return json.dumps(said | {"leaves": True})
    return json.dumps(said if one.purpose is None else said | {"purpose": one.purpose, "way": one.way})


def read(file: Path) -> list[Ending]:
    """Return what the list says, each once; none where there is no file. Problem names a bad line."""
    if not file.exists():
        return []
    return list(dict.fromkeys(_read(erasure_list.lines_of(file))))


def _read(lines: Iterable[str]) -> Iterator[Ending]:
    for number, text in enumerate(lines, 1):
        try:
            yield from _endings(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Problem(f"Line {number} of the list of endings can't be read.") from None


def _endings(said: dict[str, str]) -> Iterator[Ending]:
    if erasure_list.is_beginning(said):
        return
    one = partial(
        Ending, UUID(said["clinic_id"]), UUID(said["object_id"]), datetime.fromisoformat(said["at"])
    )
    if "leaves" in said:
        yield one(leaves=True)
    else:
        yield one(Purpose(said["purpose"]), ConsentWay(said["way"])) if "purpose" in said else one()


def _again(database: Database, now: datetime, one: Ending) -> bool:
    with database.write() as session:
        return endings.again(Work(session, now, system(one.clinic_id)), one)
