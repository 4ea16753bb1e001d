"""Civil days. A day is the patient's: it starts at the clinic's hour in their zone, frozen at capture."""

from datetime import date, datetime

from server.clinical import wall_clock


def civil_day(at: datetime, zone: str, day_start: int) -> date:
    """Return the patient's day of moment ``at`` (aware); before hour ``day_start`` it is still yesterday."""
    return wall_clock.day_of(at, zone, day_start)


def day_end(day: date, zone: str, day_start: int) -> datetime:
    """Return the moment (UTC) at which the patient's ``day`` ends: hour ``day_start`` of the next date."""
    return wall_clock.day_end(day, zone, day_start)
