"""What a patient reads about danger, who reads their diary, and visits: static words, no inference.

They are in `patient_texts/`, one file a language, and read once: they must be there when nothing else works.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from types import MappingProxyType

from server.clinical.vocabulary import Language


@dataclass(frozen=True, slots=True)
class VisitText:
    """One sentence for each state of a visit; `{moment}`, `{day}`, `{first}` and `{last}` are dates.

    ``elsewhere`` stands for `{moment}` where the clinic's clock shows another time, which is `{there}`.
    """

    time_proposed: str
    booked: str
    offered_on: str
    offered_between: str
    over: str
    ended: str
    elsewhere: str


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates are written: ``day`` of `{day}`, `{month}`, `{year}`, ``moment`` of `{date}` and `{time}`.

    ``first``: how the first day of a month is written.
    """

    first: str
    day: str
    moment: str
    months: tuple[str, ...]

    def of_day(self, day: date) -> str:
        """Return a civil day in words."""
        number = self.first if day.day == 1 else str(day.day)
        return self.day.format(day=number, month=self.months[day.month - 1], year=day.year)

    def of_moment(self, at: datetime) -> str:
        """Return a moment as the clock of its own zone shows it, to the minute."""
        return self.moment.format(date=self.of_day(at.date()), time=f"{at:%H:%M}")


@dataclass(frozen=True, slots=True)
class PatientText:
    """The words in one language.

    ``clinic_hours``, ``not_armed``, ``team_withdrawn``: who reads the diary, as it stands at the clinic.
    ``emergency``, ``crisis_lines``, ``call_clinic``: what to do, by the kind of the notice;
    ``contact_today`` comes behind it.
    """

    clinic_hours: str
    not_armed: str
    team_withdrawn: str
    no_emergency_service: str
    emergency: str
    crisis_lines: str
    call_clinic: str
    contact_today: str
    visit: VisitText
    dates: Dates


def _read(language: Language) -> PatientText:
    file = files("server.clinical").joinpath("patient_texts", f"{language}.toml")
    raw = tomllib.loads(file.read_text("utf-8"))
    visit, dates = VisitText(**raw.pop("visit")), raw.pop("dates")
    return PatientText(**raw, visit=visit, dates=Dates(**{**dates, "months": tuple(dates["months"])}))


TEXTS: Mapping[Language, PatientText] = MappingProxyType({language: _read(language) for language in Language})
