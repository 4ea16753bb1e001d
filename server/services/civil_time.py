"""Civil days. A day is the patient's: it starts at the clinic's hour in their zone, frozen at capture."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from server.clinical import wall_clock

# Proposal: when a clinic is taken to be at work, by its own wall clock. Only P2 waits for it.
OFFICE_OPENS, OFFICE_CLOSES, OFFICE_DAYS = time(8, 0), time(18, 0), range(5)
_ZONES = frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Return whether ``name`` is an IANA zone."""
    return name in _ZONES


def civil_day(at: datetime, zone: str, day_start: int) -> date:
    """Return the patient's day of moment ``at`` (aware); before hour ``day_start`` it is still yesterday."""
    return wall_clock.day_of(at, zone, day_start)


def day_end(day: date, zone: str, day_start: int) -> datetime:
    """Return the moment (UTC) at which the patient's ``day`` ends: hour ``day_start`` of the next date."""
    return wall_clock.day_end(day, zone, day_start)


def is_office_time(at: datetime, zone: str) -> bool:
    """Return whether moment ``at`` (aware) lies in office hours, Monday to Friday, in ``zone``."""
    local = at.astimezone(ZoneInfo(zone))
    return local.weekday() in OFFICE_DAYS and OFFICE_OPENS <= local.time() < OFFICE_CLOSES


def next_office_time(at: datetime, zone: str) -> datetime:
    """Return ``at`` in office hours, else the moment (UTC) the office opens next in ``zone``."""
    if is_office_time(at, zone):
        return at
    today = at.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=ahead) for ahead in range(8))
    working = (day for day in days if day.weekday() in OFFICE_DAYS)
    opens = (wall_clock.moment(datetime.combine(day, OFFICE_OPENS), zone) for day in working)
    return next(moment for moment in opens if moment > at)
