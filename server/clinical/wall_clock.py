"""Wall-clock time as a patient reads it, and the one moment it stands for.

A time in a gap (the clock was put forward) moves to the first moment after the gap; a time that
happens twice (the clock was put back) stands for the first. Rules come from the IANA database
through `zoneinfo`, so an offset is never stored.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# The hour by the wall clock at which a patient's day starts: a clinic may choose another one.
DAY_START, EARLIEST_START, LATEST_START = 4, 0, 6
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=4096)  # the ends of the same few days are asked for all day long
def moment(wall: datetime, zone: str) -> datetime:
    """Return the moment (aware UTC) at which clocks in ``zone`` (IANA) show the naive ``wall``."""
    local = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    found = local.astimezone(UTC)
    if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall:
        return found
    return _gap_end(local.replace(fold=1).astimezone(UTC), found, zone)


def has_date(day: date, zone: str) -> bool:
    """Return whether calendars in ``zone`` had ``day`` at all: Samoa had no 30 December 2011."""
    start = datetime.combine(day, time())
    return moment(start, zone) < moment(start + timedelta(days=1), zone)


def on_day(day: date, at: time, zone: str, day_start: int) -> datetime | None:
    """Return the moment of wall-clock time ``at`` in the patient's ``day``, which starts at ``day_start``.

    An earlier time is in the night after, on the next date. None where calendars skipped that date.
    """
    on = day if at.hour >= day_start else day + timedelta(days=1)
    return moment(datetime.combine(on, at), zone) if has_date(on, zone) else None


def day_end(day: date, zone: str, day_start: int) -> datetime:
    """Return the moment (UTC) at which the patient's ``day`` ends: hour ``day_start`` of the next date."""
    return moment(datetime.combine(day + timedelta(days=1), time(day_start)), zone)


def day_of(at: datetime, zone: str, day_start: int) -> date:
    """Return the patient's day of moment ``at`` (aware); before hour ``day_start`` it is still yesterday."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date() if local.hour >= day_start else local.date() - timedelta(days=1)
    # A clock that is put back past the hour shows the end of a day that is over by then.
    return day if at < day_end(day, zone, day_start) else day + timedelta(days=1)


def _gap_end(before: datetime, after: datetime, zone: str) -> datetime:
    """Return the moment the clock was put forward, which lies after ``before`` and not after ``after``."""
    there = ZoneInfo(zone)
    old = before.astimezone(there).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(there).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
