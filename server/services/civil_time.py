"""Civil days. A day is the patient's: it starts at 04:00 in their zone and is frozen at capture."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

DAY_STARTS_AT = time(4, 0)
# Proposal: when a clinic is taken to be at work, by its own wall clock. Only P2 waits for it.
OFFICE_OPENS, OFFICE_CLOSES, OFFICE_DAYS = time(8, 0), time(18, 0), range(5)
_ZONES = frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Return whether ``name`` is an IANA zone."""
    return name in _ZONES


def civil_day(at: datetime, zone: str) -> date:
    """Return the patient's day that moment ``at`` (aware) belongs to; before 04:00 it is still yesterday."""
    local = at.astimezone(ZoneInfo(zone))
    return local.date() if local.time() >= DAY_STARTS_AT else local.date() - timedelta(days=1)


def day_end(day: date, zone: str) -> datetime:
    """Return the moment (UTC) at which the patient's ``day`` ends: 04:00 of the next, by the wall clock."""
    wall = datetime.combine(day + timedelta(days=1), DAY_STARTS_AT, ZoneInfo(zone))
    return wall.astimezone(UTC)


def is_office_time(at: datetime, zone: str) -> bool:
    """Return whether moment ``at`` (aware) lies in office hours, Monday to Friday, in ``zone``."""
    local = at.astimezone(ZoneInfo(zone))
    return local.weekday() in OFFICE_DAYS and OFFICE_OPENS <= local.time() < OFFICE_CLOSES
