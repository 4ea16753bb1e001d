"""Civil weeks, Monday to Sunday, numbered as in ISO 8601: a week has the number of its Thursday's year."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from server.clinical import wall_clock

_NAME = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_EARLIEST, _LATEST = 1970, 2200


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """Week ``number`` (1-53) of ``year``. Written out it is `2026-W10`."""

    year: int
    number: int

    def __str__(self) -> str:
        """Return its name."""
        return f"{self.year}-W{self.number:02}"

    @property
    def first(self) -> date:
        """Its Monday."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + timedelta(days=6)

    def before(self) -> "Week":
        """Return the week before."""
        return of_day(self.first - timedelta(days=7))

    def span(self, zone: str) -> tuple[datetime, datetime]:
        """Return the moments (UTC) at which it begins and ends by the clocks of ``zone`` (IANA)."""
        days = (self.first, self.first + timedelta(days=7))
        begins, ends = (wall_clock.moment(datetime.combine(day, time()), zone) for day in days)
        return begins, ends


def of_day(day: date) -> Week:
    """Return the week of a civil day."""
    found = day.isocalendar()
    return Week(found.year, found.week)


def at(moment: datetime, zone: str) -> Week:
    """Return the week that clocks in ``zone`` (IANA) are in at ``moment`` (aware)."""
    return of_day(moment.astimezone(ZoneInfo(zone)).date())


def named(name: str) -> Week:
    """Return the week called ``name``; raises ValueError where there is none, or only far from our time."""
    found = _NAME.fullmatch(name)
    if found is None or not _EARLIEST <= int(found[1]) <= _LATEST:
        raise ValueError("not a week")
    # Not every year has a week 53: this raises where it has none.
    return of_day(date.fromisocalendar(int(found[1]), int(found[2]), 1))
