"""Who hears of an alert, and when the clinic is at work: civil times of a zone, turned into moments.

Everything is compared as moments (UTC), so a clock that is put forward or back can't open a door
twice or close it before it opened. Source: docs/clinical.md, "Rota".
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from uuid import UUID
from zoneinfo import ZoneInfo

from server.clinical import wall_clock
from server.clinical.vocabulary import AlertClass

Span = tuple[time, time]
Week = tuple[tuple[Span, ...], ...]
Stretch = tuple[datetime, datetime]
_OfDay = Callable[["WorkingHours", date], Iterable[Stretch]]

_DAY, WEEK = timedelta(days=1), timedelta(days=7)
# Nobody is told of a next opening that lies further ahead than a year.
LONGEST = timedelta(days=366)
# A shift that comes again every week is no longer than one, or it would meet itself.
LONGEST_WEEKLY, LONGEST_ONCE = timedelta(days=7), timedelta(days=31)
MOST_STEPS, MOST_TARGETS, MOST_HOLIDAYS, MOST_SPANS = 6, 10, 400, 6

OFFICE: Span = (time(8), time(18))
DEFAULT_WEEK: Week = ((OFFICE,),) * 5 + ((), ())
# Whom a step may tell; besides, `account:` and an id is one account.
OWN_CLINICIAN, ON_CALL = "own_clinician", "on_call"
CLINICIANS, COORDINATORS, ADMINS = "clinicians", "coordinators", "admins"
TARGETS = (OWN_CLINICIAN, ON_CALL, CLINICIANS, COORDINATORS, ADMINS)
ACCOUNT = "account:"
DEFAULT_STEPS: tuple[tuple[str, ...], ...] = (
    (OWN_CLINICIAN,),
    (ON_CALL, CLINICIANS, COORDINATORS),
    (CLINICIANS, COORDINATORS, ADMINS),
)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a clinic is at work, by the clocks of ``zone`` (IANA).

    ``week``: for each weekday, Monday first, its spans (opens, closes), earliest first and apart from
    each other; closing at 00:00 is the end of the day. On ``holidays`` it is closed all day. A clinic
    without any hours is always at work: nothing may wait for a door that never opens.
    """

    zone: str
    week: Week
    holidays: frozenset[date] = frozenset()

    @property
    def always(self) -> bool:
        """Whether there are no hours at all."""
        return not any(self.week)

    def is_working_day(self, day: date) -> bool:
        """Return whether the clinic is at work at some time of the civil ``day``."""
        return self.always or (bool(self.week[day.weekday()]) and day not in self.holidays)

    def is_open(self, moment: datetime) -> bool:
        """Return whether the clinic is at work at ``moment`` (aware)."""
        begun = takewhile(lambda opening: opening[0] <= moment, self._openings(moment))
        return self.always or any(moment < closes for _, closes in begun)

    def next_opening(self, moment: datetime) -> datetime:
        """Return ``moment`` where the clinic is at work, else the moment (UTC) it opens next.

        Where it is closed for more than a year, that is a year from ``moment``.
        """
        if self.is_open(moment):
            return moment
        coming = (opens for opens, closes in self._openings(moment) if moment < opens < closes)
        return next(coming, moment + LONGEST)

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Return how much of ``start`` .. ``end`` (aware) lies in working hours, also of years."""
        if self.always:
            return max(end - start, timedelta())
        return _common(self, _opened, start, end)

    def business_time(self, start: datetime, end: datetime) -> timedelta:
        """Return how much of ``start`` .. ``end`` lies on working days, nights between them included.

        Weekends and holidays are left out whole, midnight to midnight.
        """
        return _common(self, _worked, start, end)

    def _openings(self, moment: datetime) -> Iterator[Stretch]:
        """Yield the openings from the day before ``moment`` on, for a year, earliest first."""
        for day in _days(moment, self.zone):
            yield from _opened(self, day)


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody is on call from ``starts`` to ``ends``: civil (naive) times of the clinic's zone.

    ``weekly_until``: it comes again every seven days, last on this day at the latest.
    """

    account_id: UUID
    starts: datetime
    ends: datetime
    weekly_until: date | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One time that a shift comes to pass, as moments (UTC): on call from ``starts``, before ``ends``."""

    account_id: UUID
    starts: datetime
    ends: datetime


def spans(shifts: Iterable[Shift], zone: str, start: datetime, end: datetime) -> tuple[Duty, ...]:
    """Return what of ``shifts`` touches ``start`` .. ``end`` (aware), whole and earliest first."""
    found = (duty for shift in shifts for duty in _duties(shift, zone, start, end))
    touching = (duty for duty in found if duty.starts < min(duty.ends, end) and start < duty.ends)
    return tuple(sorted(touching, key=lambda duty: (duty.starts, duty.ends, duty.account_id)))


def on_call(shifts: Iterable[Shift], zone: str, moment: datetime) -> tuple[UUID, ...]:
    """Return who is on call at ``moment`` (aware), each once, longest on duty first."""
    return tuple(dict.fromkeys(duty.account_id for duty in duties_at(shifts, zone, moment)))


def duties_at(shifts: Iterable[Shift], zone: str, moment: datetime) -> tuple[Duty, ...]:
    """Return the duties that are on at ``moment`` (aware), longest on duty first."""
    return spans(shifts, zone, moment, moment + timedelta.resolution)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours from ``begins`` to ``ends`` by the clocks of ``zone``, over midnight where they end earlier.

    Where the two are equal there are none.
    """

    zone: str
    begins: time
    ends: time

    def released(self, moment: datetime, urgency: AlertClass) -> datetime:
        """Return when a message of ``moment`` (aware) goes out: then, or at the end of the quiet hours.

        P0 is never held.
        """
        if urgency is AlertClass.P0:
            return moment
        held = (ends for begins, ends in self._around(moment) if begins <= moment < ends)
        return next(held, moment)

    def _around(self, moment: datetime) -> Iterator[Stretch]:
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        over_midnight = self.ends < self.begins
        for day in (today - _DAY, today):
            last = day + _DAY if over_midnight else day
            yield _at(day, self.begins, self.zone), _at(last, self.ends, self.zone)


def _duties(shift: Shift, zone: str, start: datetime, end: datetime) -> Iterator[Duty]:
    """Yield the times a shift comes to pass that may touch ``start`` .. ``end``, and few others."""
    first, last = (civil(moment, zone) for moment in (start - _DAY, end + _DAY))
    weeks = range(max((first - shift.ends) // WEEK, 0), (last - shift.starts) // WEEK + 1)
    for week in takewhile(lambda week: _comes_again(shift, week), weeks):
        began, ended = (wall_clock.moment(at + week * WEEK, zone) for at in (shift.starts, shift.ends))
        yield Duty(shift.account_id, began, ended)


def _comes_again(shift: Shift, week: int) -> bool:
    if week == 0 or shift.weekly_until is None:
        return week == 0
    return (shift.starts + week * WEEK).date() <= shift.weekly_until


def civil(moment: datetime, zone: str) -> datetime:
    """Return what a clock of ``zone`` shows at ``moment`` (aware), without an offset."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _days(moment: datetime, zone: str) -> Iterator[date]:
    """Yield the civil days from the one before ``moment`` on, for a year."""
    yesterday = moment.astimezone(ZoneInfo(zone)).date() - _DAY
    return (yesterday + timedelta(days=ahead) for ahead in range(LONGEST.days + 2))


def _moments(day: date, span: Span, zone: str) -> Stretch:
    opens, closes = span
    return _at(day, opens, zone), _at(day if closes > time() else day + _DAY, closes, zone)


def _at(day: date, at: time, zone: str) -> datetime:
    return wall_clock.moment(datetime.combine(day, at), zone)


def _opened(hours: WorkingHours, day: date) -> Iterator[Stretch]:
    """Yield the openings of a civil day, earliest first."""
    spans = hours.week[day.weekday()] if day not in hours.holidays else ()
    yield from (_moments(day, span, hours.zone) for span in spans)


def _worked(hours: WorkingHours, day: date) -> Iterator[Stretch]:
    """Yield a civil day, midnight to midnight, where it is a working day."""
    if hours.is_working_day(day):
        yield _moments(day, (time(), time()), hours.zone)


def _common(hours: WorkingHours, of_day: _OfDay, start: datetime, end: datetime) -> timedelta:
    """Return how much of ``start`` .. ``end`` the stretches cover that ``of_day`` gives of each day."""
    day, last = (civil(moment, hours.zone).date() for moment in (start - _DAY, end + _DAY))
    found = timedelta()
    while day <= last:
        is_whole = _is_whole_week(hours, day, start, end)
        found += _of_week(hours, of_day, day) if is_whole else _inside(of_day(hours, day), start, end)
        day += WEEK if is_whole else _DAY
    return found


def _is_whole_week(hours: WorkingHours, day: date, start: datetime, end: datetime) -> bool:
    if day.weekday() != 0 or day + WEEK > end.date() + _DAY:
        return False
    begins, ends = (_at(monday, time(), hours.zone) for monday in (day, day + WEEK))
    return start <= begins and ends <= end


# What has waited for months is looked at every minute: its whole weeks are added up once.
@lru_cache(maxsize=4096)
def _of_week(hours: WorkingHours, of_day: _OfDay, monday: date) -> timedelta:
    days = (monday + ahead * _DAY for ahead in range(7))
    return sum((ends - begins for day in days for begins, ends in of_day(hours, day)), timedelta())


def _inside(stretches: Iterable[Stretch], start: datetime, end: datetime) -> timedelta:
    """Return how much of ``start`` .. ``end`` the ``stretches`` cover, which are apart from each other."""
    parts = (max(min(ends, end) - max(begins, start), timedelta()) for begins, ends in stretches)
    return sum(parts, timedelta())
