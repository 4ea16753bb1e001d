"""The reference process the watch is measured on, without any of the clinic around it.

Baseline 14 days after a session, then either 90 stable days or a relapse: the figures measured on it
stand beside the table of the reference simulation (sensitivity, false alarms, delay).
"""

from dataclasses import dataclass, replace
from datetime import date

from server.clinical.vocabulary import ITEMS, Arm, Condition, Route
from server.simulator.checkins import Checkins
from server.simulator.cohorts import (
    BASELINE_DAYS,
    PRETREATMENT_LEVEL,
    REFERENCE_PROCESS,
    SETTLE_DAYS,
    DiaryProcess,
)
from server.simulator.course import Course, Fate, Person, Relapse, draw_person, relapse_shares
from server.simulator.draws import Draws
from server.simulator.shapes import VirtualPatient
from server.simulator.virtual_patient import list_sessions, tell_truth, write_diary

COMPOSITE = ("mood", "interest", "anxiety", "restlessness")
# A relapse starts on one of the first sixty watched days, so that some stable days come before it.
ONSET_WITHIN = 60
# A hit counts until fourteen days after the full relapse; the diary ends there.
HIT_DAYS = 14
_START = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class ReferenceOptions:
    """What may be varied; the defaults are the reference.

    ``phi_mean`` is the mean autocorrelation, ``missing_share`` the share (0-1) of days missing (None:
    about 0.13), ``items`` the diary items, all of one arm, ``pretreatment_days`` the days at a high
    level before the session, which the reference itself does not have.
    """

    phi_mean: float = 0.3
    missing_share: float | None = None
    items: tuple[str, ...] = COMPOSITE
    pretreatment_days: int = 0
    watched_days: int = 90

    def process(self) -> DiaryProcess:
        """Return the diary process with these options."""
        process = replace(REFERENCE_PROCESS, phi=replace(REFERENCE_PROCESS.phi, mean=self.phi_mean))
        return process if self.missing_share is None else process.with_missing_share(self.missing_share)


_REFERENCE = ReferenceOptions()


def reference_patient(
    seed: int, stable: bool, options: ReferenceOptions = _REFERENCE, start: date = _START
) -> VirtualPatient:
    """Return the reference patient ``seed``: stable, or relapsing in the watched days.

    The session is on ``start`` plus the days before treatment; three days later the 14 baseline days
    begin, then (``truth.judged_from``) the watched ones. The stable and the relapsing patient of one
    seed are the same until the relapse.
    """
    process = options.process()
    person = draw_person(seed, process)
    fate = _draw_fate(seed, person, stable, options, start)
    diary = write_diary(
        seed, process, fate, options.items, Checkins(seed, Route.INTRAVENOUS, accidents=False)
    )
    arms = frozenset.intersection(*(ITEMS[key].arms for key in options.items))
    return VirtualPatient(
        name=f"Reference {seed}",
        zone="UTC",
        cohort="reference",
        arms=tuple(arm for arm in Arm if arm in arms),
        condition=Condition.DEPRESSION if Arm.MOOD in arms else Condition.CHRONIC_PAIN,
        route=Route.INTRAVENOUS,
        first_day=start,
        last_day=fate.course.day(len(fate.course.levels) - 1),
        sessions=list_sessions(seed, fate.course),
        diary=diary,
        truth=tell_truth(fate, diary),
    )


def _draw_fate(seed: int, person: Person, stable: bool, options: ReferenceOptions, start: date) -> Fate:
    session = options.pretreatment_days
    watched_from = session + SETTLE_DAYS + BASELINE_DAYS
    days, relapse = watched_from + options.watched_days, None
    if not stable:
        onset = watched_from + Draws(seed, "onset").whole(0, ONSET_WITHIN - 1)
        relapse = Relapse(onset, person.ramp_days)
        days = relapse.full + HIT_DAYS + 1
    high = PRETREATMENT_LEVEL[Arm.MOOD].high
    levels = tuple(high if day <= session and session else person.level for day in range(days))
    course = Course(start, (session,), session, levels, relapse_shares(days, relapse))
    return Fate(person, course, True, (high, person.level), relapse)
