"""Write a past into the diary as it would have come in: moment by moment, through the services.

Every step is taken with `work.now` = its own moment, so the watch judges each day knowing what was
known then, alerts open on the day they would have opened, and no way around the safety check exists.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from uuid import UUID

from server.clinical.vocabulary import SessionStatus
from server.clinical.wall_clock import DAY_START
from server.database import Database
from server.services.alerts import alert as alerts
from server.services.civil_time import civil_day
from server.services.errors import VersionRequired
from server.services.journal.incoming import Incoming
from server.services.past.writer import Step, Writer, open_writer
from server.services.people import clinic as clinics
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Actor, Work

# Steps of one transaction. More are cheaper, but nobody else writes on SQLite meanwhile: these take a quarter
# of a second, and one or two where each day is judged by itself.
BATCH = 250
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Told = Callable[[int], None]
Follow = Callable[[Work, bool], None]


def _go_on(*_: object) -> None:
    """Do nothing: nobody has to be told, and nothing follows."""


@dataclass(frozen=True)
class Past:
    """Delivered sessions (aware moments, of one course) and entries of one patient, in any order.

    Up to ``until`` the patient's days are closed too, also those after the last entry: silence counts.
    ``day_start`` is the clinic's hour.
    """

    patient_id: UUID
    zone: str
    course_id: UUID | None
    sessions: Sequence[datetime]
    entries: Sequence[Incoming]
    until: datetime | None = None
    day_start: int = DAY_START

    @cached_property
    def days(self) -> frozenset[date]:
        """The local days that have an entry."""
        moments = (entry.content["occurred_at"] for entry in self.entries)
        return frozenset(civil_day(moment, self.zone, self.day_start) for moment in moments)


@dataclass(slots=True)
class Tally:
    """What became of it. ``refused`` holds entries whose id is stored already with other content."""

    sessions: int = 0
    created: int = 0
    duplicates: int = 0
    refused: list[Incoming] = field(default_factory=list)


def dated_id(at: datetime, *name: object) -> UUID:
    """Return the UUIDv7 of moment ``at`` that ``name`` stands for: the same for ever. ``at`` from 1970 on."""
    digest = int.from_bytes(hashlib.sha256("\x1f".join(map(str, name)).encode()).digest()[:10])
    milliseconds = (at - EPOCH).total_seconds() * 1000
    low = digest & (1 << 62) - 1
    middle = digest >> 62 & 0xFFF
    return UUID(int=int(milliseconds) << 80 | 7 << 76 | middle << 64 | 0b10 << 62 | low)


def write_past(
    database: Database, actor: Actor, past: Past, told: Told = _go_on, follow: Follow = _go_on
) -> Tally:
    """Write ``past`` in the order it happened, a batch a transaction; ``told`` hears how many steps went by.

    ``follow`` belongs to each of them, and hears whether it is the last. A session day or entry that is there
    already is recognised, so writing twice changes nothing, and what was cut off goes on where it stopped.
    """
    tally, steps = Tally(), ordered(past)
    for start in range(0, max(len(steps), 1), BATCH):
        batch = steps[start : start + BATCH]
        is_last = start + BATCH >= len(steps)
        with database.write() as session:
            work = Work(session, _moment(batch[0]) if batch else EPOCH, actor)
            _write(work, past, batch, tally, past.until if is_last else None)
            follow(work, is_last)
        told(len(batch))
    return tally


def ordered(past: Past) -> list[datetime | Incoming]:
    """Return sessions and entries in the order they happened, a session before an entry of its moment."""
    steps: list[datetime | Incoming] = [*past.sessions, *past.entries]
    return sorted(steps, key=_order)


def take(work: Work, past: Past, steps: Sequence[datetime | Incoming], tally: Tally) -> None:
    """Take ``steps`` of ``past`` inside the open transaction of ``work``, counting into ``tally``."""
    _write(work, past, steps, tally)


def take_all(work: Work, past: Past, tally: Tally) -> None:
    """Take all of ``past`` inside the open transaction of ``work``, and close its days."""
    _write(work, past, ordered(past), tally, past.until)


def finish(work: Work, past: Past) -> None:
    """Close the days that had ended by the end of ``past``."""
    if past.until is not None:
        _write(work, past, [], Tally(), past.until)


def _write(
    work: Work,
    past: Past,
    steps: Sequence[datetime | Incoming],
    tally: Tally,
    until: datetime | None = None,
) -> None:
    planned = [Step(_moment(step), step if isinstance(step, Incoming) else None) for step in steps]
    writer = open_writer(work, past.patient_id, planned, until)
    # Held on purpose: a session forgets rows that nobody holds, and would ask for these again and again.
    held = clinics.get(work), past.course_id and courses.get(work, past.patient_id, past.course_id)
    for step in planned:
        writer.close_days(step.at, past.days)
        if step.said is None:
            _deliver(writer, past, step.at, tally)
        else:
            _put(writer, step.said, tally)
    if until is not None:
        writer.close_days(until, past.days)
    writer.write()
    del held


def open_alerts(work: Work, patient_id: UUID) -> int:
    """Return how many alerts of the patient nobody has acknowledged."""
    return len(alerts.unacknowledged(work, patient_id))


def _put(writer: Writer, said: Incoming, tally: Tally) -> None:
    try:
        receipt = writer.put()
    except VersionRequired:
        tally.refused.append(said)
        return
    if receipt.outcome == "duplicate":
        tally.duplicates += 1
    else:
        tally.created += 1


def _deliver(writer: Writer, past: Past, at: datetime, tally: Tally) -> None:
    if treatment_sessions.is_on_record(writer.work, past.patient_id, at, past.zone):
        writer.deliver(None)
        return
    writer.deliver({"course_id": past.course_id, "status": SessionStatus.DELIVERED, "at": at})
    tally.sessions += 1


def _moment(step: datetime | Incoming) -> datetime:
    moment = step.content["occurred_at"] if isinstance(step, Incoming) else step
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def _order(step: datetime | Incoming) -> tuple[datetime, bool]:
    return _moment(step), isinstance(step, Incoming)
