"""When to remind: the patient's civil time and zone in, moments out. Pure.

The same `slot` is shown to the patient and obeyed by the job, so the two can't disagree.
Defaults are proposals; docs/mobile.md says why.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from server.clinical import wall_clock
from server.clinical.checkins import Occurrence

REMIND_AT = time(20, 0)
QUIET_FROM, QUIET_UNTIL = time(22, 0), time(7, 0)
EVERY_DAYS, RAREST_EVERY = 1, 3
# After three hours an evening's reminder is no help any more: it would come in the night.
WINDOW = timedelta(hours=3)
LAST_CALL = timedelta(minutes=15)
MOST_A_DAY = 2
# Spreads a clinic's messages over half an hour; the same minutes for the same patient, for ever.
LARGEST_JITTER = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=90)
# Further ahead nobody plans: where a pause is longer than that, the app asks again.
LOOKS_AHEAD = 40
_DAY = timedelta(days=1)
_AHEAD = range(-2, LONGEST_PAUSE.days * 2)


@dataclass(frozen=True, slots=True)
class Pause:
    """A holiday from reminders: the patient's local days from ``first`` to ``last``, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How one patient wants to be reminded, in their own civil time.

    ``every_days``: the diary's reminder comes every 1st, 2nd or 3rd day. ``quiet_from`` ..
    ``quiet_until``: nothing is sent; equal times mean never quiet. ``jitter``: -15 to 15 minutes.
    ``day_start``: the hour at which the patient's days start, 0-6.
    """

    at: time = REMIND_AT
    every_days: int = EVERY_DAYS
    quiet_from: time = QUIET_FROM
    quiet_until: time = QUIET_UNTIL
    pause: Pause | None = None
    jitter: timedelta = field(default=timedelta())
    day_start: int = wall_clock.DAY_START


@dataclass(frozen=True, slots=True)
class Slot:
    """The reminder time of one local day: remind from ``at`` on and before ``until`` (both UTC)."""

    day: date
    at: datetime
    until: datetime


def jitter_of(patient_id: UUID) -> timedelta:
    """Return the patient's own shift in whole minutes, from -15 to 15, always the same."""
    most = LARGEST_JITTER // timedelta(minutes=1)
    drawn = int.from_bytes(hashlib.sha256(patient_id.bytes).digest()[:4]) % (2 * most + 1)
    return timedelta(minutes=drawn - most)


def is_quiet(at: time, rhythm: Rhythm) -> bool:
    """Return whether wall-clock time ``at`` lies in the quiet hours, which may run over midnight."""
    start, end = rhythm.quiet_from, rhythm.quiet_until
    return start <= at < end if start <= end else at >= start or at < end


def slot(day: date, rhythm: Rhythm, zone: str) -> Slot | None:
    """Return when to remind on the patient's ``day``; at most one slot a day.

    None on a day of the pause, on a date the calendar skipped, and where quiet hours hold it past
    its end. It ends 3 hours after the civil time, and with the day.
    """
    if rhythm.pause is not None and rhythm.pause.first <= day <= rhythm.pause.last:
        return None
    at = wall_clock.on_day(day, _shifted(rhythm), zone, rhythm.day_start)
    if at is None:
        return None
    end = wall_clock.day_end(day, zone, rhythm.day_start)
    # Where a gap swallows the night's time and the rest of the day, the reminder comes before the gap.
    at = at if at < end else end - LAST_CALL
    until = min(at + WINDOW, end)
    at = quiet_end(at, rhythm, zone)
    return Slot(day, at, until) if at < until else None


def open_slot(now: datetime, rhythm: Rhythm, zone: str) -> Slot | None:
    """Return the slot that ``now`` lies in; None outside of one and in quiet hours.

    What was missed longer ago than its slot lasts is never made up.
    """
    if quiet_end(now, rhythm, zone) > now:
        return None
    # Each lies in its own day: of the first that has not ended it can be told whether any is open.
    found = next((s for s in _slots(now, rhythm, zone) if now < s.until), None)
    return found if found is not None and found.at <= now else None


def until_quiet(now: datetime, found: Slot, rhythm: Rhythm, zone: str) -> datetime:
    """Return up to when a reminder of ``now``, in slot ``found``, may come: never into the quiet hours."""
    if rhythm.quiet_from == rhythm.quiet_until:
        return found.until
    today = now.astimezone(ZoneInfo(zone)).date()
    begins = (
        wall_clock.moment(datetime.combine(day, rhythm.quiet_from), zone) for day in (today, today + _DAY)
    )
    return min(found.until, next(at for at in begins if at > now))


def quiet_end(at: datetime, rhythm: Rhythm, zone: str) -> datetime:
    """Return ``at``, or the end of the quiet hours it lies in."""
    local = at.astimezone(ZoneInfo(zone))
    if not is_quiet(local.time(), rhythm):
        return at
    days = (local.date(), local.date() + timedelta(days=1))
    ends = [wall_clock.moment(datetime.combine(day, rhythm.quiet_until), zone) for day in days]
    if local.fold:  # this hour comes a second time, and an end in it, too
        again = datetime.combine(local, rhythm.quiet_until, local.tzinfo).replace(fold=1)
        ends = [again.astimezone(UTC), *ends]
    return next(end for end in ends if end > at)


def next_look(now: datetime, rhythm: Rhythm, zone: str) -> datetime | None:
    """Return the first moment after ``now`` at which there may be something to remind of.

    None where the next half year has none.
    """
    for found in _slots(now, rhythm, zone):
        later = found.at if found.at > now else quiet_end(now, rhythm, zone)
        if now < later < found.until:
            return later
    return None


def coming_slots(first: datetime, rhythm: Rhythm, zone: str) -> Iterator[tuple[datetime, Slot]]:
    """Yield the next looks of a job that looks at ``first`` and then whenever `next_look` says.

    Each comes with the slot it finds open; at most 40 looks.
    """
    at: datetime | None = first
    for _ in range(LOOKS_AHEAD):
        if at is None:
            return
        found = open_slot(at, rhythm, zone)
        if found is not None:
            yield at, found
        at = next_look(at, rhythm, zone)


def to_remind(
    occurrences: Iterable[Occurrence], rhythm: Rhythm, done: set[str], reminded: set[str]
) -> Sequence[Occurrence]:
    """Return what to remind of: neither done nor reminded of before, the diary only every n-th day.

    ``done`` and ``reminded`` hold occurrence keys.
    """
    return [o for o in occurrences if o.key not in done | reminded and _is_its_turn(o, rhythm)]


def _is_its_turn(occurrence: Occurrence, rhythm: Rhythm) -> bool:
    # Counted from a fixed day, so that planning again never shifts the rhythm.
    return occurrence.instrument is not None or occurrence.day.toordinal() % rhythm.every_days == 0


def _shifted(rhythm: Rhythm) -> time:
    """Return the civil time with the jitter, unless that would leave the day or enter quiet hours."""
    at = datetime.combine(date.min + timedelta(days=1), rhythm.at)
    into_the_day = (at - at.replace(hour=rhythm.day_start, minute=0)) % _DAY + rhythm.jitter
    shifted = (at + rhythm.jitter).time()
    stays = timedelta() <= into_the_day < _DAY and not is_quiet(shifted, rhythm)
    return shifted if stays else rhythm.at


def _slots(now: datetime, rhythm: Rhythm, zone: str) -> Iterator[Slot]:
    today = wall_clock.day_of(now, zone, rhythm.day_start)
    for ahead in _AHEAD:
        found = slot(today + timedelta(days=ahead), rhythm, zone)
        if found is not None:
            yield found
