"""Missed check-ins of one patient: gather what weighs them, let the clinical core decide, tell the team."""

from collections.abc import Sequence, Set
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select

from server.clinical import silence
from server.clinical.silence import Silence, SilenceFacts
from server.clinical.vocabulary import AlertClass, AlertFamily, Arm, WatchState
from server.models import Alert, Assessment, Patient
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.asking import of_patient
from server.services.foresight import foresight
from server.services.watch import policy as policies
from server.services.watch import sign_of_life as signs_of_life
from server.services.work import Work

URGENT = (AlertClass.P0, AlertClass.P1)
_GRAVEST_FIRST = (WatchState.RELAPSED, WatchState.FADING)
# A signal that has begun and not ended, whatever the state.
_SINCE = Assessment.evidence["since"].as_string()
# Of each arm, in one question.
_NEWEST = select(
    *(
        select(said)
        .where(*of_patient(Assessment), Assessment.arm == arm, Assessment.day <= bindparam("day"))
        .order_by(
            Assessment.day.desc(),
            Assessment.data_version.desc(),
            Assessment.policy_version.desc(),
            Assessment.patient_policy_version.desc(),
        )
        .limit(1)
        .scalar_subquery()
        .label(f"{name}_of_{arm}")
        for name, said in (("state", Assessment.state), ("since", _SINCE))
        for arm in Arm
    )
)
_LAST_FLAG = select(func.max(Alert.day)).where(
    *of_patient(Alert), Alert.urgency.in_(URGENT), Alert.day <= bindparam("day")
)
_CLOSED = (
    select(Alert.id)
    .where(
        *of_patient(Alert),
        Alert.family == AlertFamily.SILENCE,
        Alert.urgency <= bindparam("urgency"),
        Alert.outcome.is_not(None),  # without one it was closed by a withdrawn consent, not by a person
        Alert.day >= bindparam("since"),
    )
    .limit(1)
)


def check_each(work: Work, days: Sequence[tuple[Patient, date]]) -> None:
    """Check a day of each of several patients."""
    with foresight(work) as ahead:
        ahead.ask(signs_of_life.LAST_DAY, [{"patient": patient.id, "day": day} for patient, day in days])
        for patient, day in days:
            check(work, patient, day)


def check(work: Work, patient: Patient, day: date) -> Alert | None:
    """Raise an alert where the patient has been silent for too long by the end of ``day``.

    Who has not enrolled can't report and is never silent. A silence that a clinician has closed
    opens no second alert, unless it has become more urgent since; one that is over by now, where a night
    is made up late, opens none.
    """
    if patient.enrolled_at is None:
        return None
    last, day_end = signs_of_life.day(work, patient.id, day), local_days.end(work, day, patient.zone)
    if last == day:
        return None  # no policy calls a day with an entry silent, and most patients need no further question
    states, unended = _newest(work, patient.id, last or day)
    facts = SilenceFacts(
        watched_from=_watched_from(work, patient, patient.enrolled_at),
        paused=patient.paused_until is not None and patient.paused_until > day_end,
        last_state=next((state for state in (*_GRAVEST_FIRST, *states) if state in states), None),
        unended=unended,
        days_since_flag=_days_since_flag(work, patient.id, day),
    )
    found = _found(work, patient, facts, (last, day))
    if found is None or _closed_already(work, patient, found):
        return None
    if signs_of_life.is_since(work, patient, day + timedelta(days=1)):
        return None
    return episodes.raise_alert(work, patient, _finding(found, day))


def _found(
    work: Work, patient: Patient, facts: SilenceFacts, between: tuple[date | None, date]
) -> Silence | None:
    """Return the silence between the last day with an entry and the one that ended, if it is one."""
    last, day = between
    policy, logged = policies.of_patient(work, patient), [] if last is None else [last]
    found = silence.check(logged, facts, policy, day)
    if found is None:
        return None
    # Whose clock is off reports all the same; nearly nobody is asked for it.
    undated = signs_of_life.undated_day(work, patient, local_days.end(work, day, patient.zone))
    return found if undated is None else silence.check([*logged, undated], facts, policy, day)


def _finding(found: Silence, day: date) -> Finding:
    return Finding(
        family=AlertFamily.SILENCE,
        urgency=found.urgency,
        day=day,
        codes=("missed_check_ins",),
        summary=f"{found.text[:1].upper()}{found.text[1:]}.",
        evidence={"since": found.since.isoformat(), "missed_days": found.missed},
    )


def _watched_from(work: Work, patient: Patient, enrolled_at: datetime) -> date:
    enrolled = local_days.of(work, enrolled_at, patient.zone)
    if patient.paused_until is None:
        return enrolled
    # The days of a pause were not missed, so after it the count starts anew.
    return max(enrolled, local_days.of(work, patient.paused_until, patient.zone))


def _newest(work: Work, patient_id: UUID, last: date) -> tuple[Set[WatchState], bool]:
    """Return the states of the arms on the last reported day, and whether too few days hide a signal."""
    (row,) = work.rows(_NEWEST, patient=patient_id, day=last)
    states, since = row[: len(Arm)], row[len(Arm) :]
    hidden = (
        state is WatchState.INSUFFICIENT_DATA and begun is not None
        for state, begun in zip(states, since, strict=True)
    )
    return {*states} - {None}, any(hidden)


def _days_since_flag(work: Work, patient_id: UUID, day: date) -> int | None:
    last = work.value(_LAST_FLAG, patient=patient_id, day=day)
    return None if last is None else (day - last).days


def _closed_already(work: Work, patient: Patient, found: Silence) -> bool:
    closed = work.rows(_CLOSED, patient=patient.id, urgency=found.urgency, since=found.since)
    return bool(closed)
