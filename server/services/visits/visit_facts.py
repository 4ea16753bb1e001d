"""Gather what the suggestion of a visit rests on. Bounded by windows, not by years of history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from server.clinical.facts import Screen
from server.clinical.maintenance import FEWEST_GIVEN, Chance, Facts, Plan, Prospect, Trouble, chance
from server.clinical.policy import Policy
from server.clinical.side_effects import OnsetSource
from server.clinical.vocabulary import RELAPSE_OF, AlertClass, AlertFamily, Arm, Outcome
from server.models import UNRESOLVED, Alert, Assessment, Course, Entry, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.asking import between, of_patient
from server.services.journal.answers import hours_by_our_clock
from server.services.scales import latest_response
from server.services.visits import blood_pressure as blood_pressures
from server.services.visits import course as courses
from server.services.visits import precaution as precautions
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.watch import response_curve as response_curves
from server.services.work import Work


class Logged(NamedTuple):
    """What one entry says to the guards, and on which day; ``hours``: since a session, by each clock."""

    local_day: date
    items: Mapping[str, float]
    side_effects: Mapping[str, int]
    medication: Mapping[str, Any]
    side_effect_details: Sequence[Mapping[str, Any]]
    hours: tuple[float | None, ...]


_SAID = (Entry.items, Entry.side_effects, Entry.medication, Entry.side_effect_details)
_THERE = (*of_patient(Entry), Entry.deleted_at.is_(None))
_CLOCK = (Entry.clock_suspect, Entry.clock_skew_seconds)
_LOGGED = select(Entry.local_day, *_SAID, Entry.hours_since_session, Entry.occurred_at, *_CLOCK).where(
    *_THERE, Entry.day_reliable, between(Entry.local_day)
)
_UNDATED = select(Entry.received_at, *_SAID).where(
    *_THERE, ~Entry.day_reliable, Entry.received_at >= bindparam("since")
)
_RELAPSES = select(Alert).where(*of_patient(Alert), Alert.family == bindparam("family"))
_LATEST_EVIDENCE = (
    select(Assessment.evidence)
    .where(*of_patient(Assessment), Assessment.arm == bindparam("arm"))
    .order_by(
        Assessment.day.desc(),
        Assessment.data_version.desc(),
        Assessment.policy_version.desc(),
        Assessment.patient_policy_version.desc(),
    )
    .limit(1)
)
_EMERGENCY = select(func.max(Alert.day)).where(
    *of_patient(Alert), Alert.urgency == AlertClass.P0, Alert.outcome.is_distinct_from(Outcome.FALSE_ALARM)
)
_OPEN_ALERTS = select(Alert.urgency, Alert.family).where(*of_patient(Alert), UNRESOLVED)


def gather(work: Work, patient: Patient, programme: Arm, today: date, signal: Alert | None) -> Facts:
    """Return the facts as of ``today``, a local day. ``signal``: the relapse alert that asks, if one does."""
    policy = policies.of_patient(work, patient)
    course = courses.active(work, patient.id, today, programme)
    sessions = treatment_sessions.delivered_days(work, patient.id, date.min)
    dated = _dated(work, patient.id, policy, today)
    logged = [*dated, *_undated(work, patient, _since_when(policy, today))]
    relapses = _relapses(work, patient.id, programme, policy)
    # Where symptoms return already, what is usual says nothing any more.
    unsaid = signal is None and _may_be_due(course, sessions, policy, today)
    return Facts(
        plan=None if course is None else Plan(course.min_interval_days, course.max_interval_days),
        sessions=sessions,
        planned=treatment_sessions.planned_days(work, patient.id, today),
        signal_since=None if signal is None else _since(signal.evidence, signal.day),
        early_returns=_early_returns(course, relapses),
        usual_loss=response_curves.usual(work, patient, programme, today) if unsaid else None,
        responded=_responded(work, patient.id, programme),
        age=_age(patient, today),
        open_alerts=_open_alerts(work, patient.id),
        emergency=work.value(_EMERGENCY, patient=patient.id),
        troubles=[trouble for row in logged for trouble in _troubles(row)],
        craving=_craving(logged, policy, today),
        questionnaire_day=latest_response.day(work, patient.id, today),
        asrm=_screens(work, patient, "asrm", policy, today),
        audit_c=_screens(work, patient, "audit-c", policy, today),
        opioid_changed=_opioid_changed(logged),
        precautions=precautions.held(work, patient.id, today),
        pressure=blood_pressures.newest(work, patient.id, today),
        days_logged_last_week=_logged_last_week(dated, policy, today),
    )


def _dated(work: Work, patient_id: UUID, policy: Policy, today: date) -> Sequence[Logged]:
    rows = work.rows(_LOGGED, patient=patient_id, first=_since_when(policy, today), last=today)
    sessions = treatment_sessions.delivered_moments(work, patient_id)
    found = []
    for day, items, effects, medication, details, hours, at, suspected, skew in rows:
        each = hours, *hours_by_our_clock((suspected, skew), at, sessions)
        found.append(Logged(day, items, effects, medication, details, each))
    return found


def _logged_last_week(dated: Sequence[Logged], policy: Policy, today: date) -> int:
    week = today - timedelta(days=policy.whole("data.window_days") - 1)
    return len({row.local_day for row in dated if row.local_day >= week})


def _since_when(policy: Policy, today: date) -> date:
    """Return as far back as the longest-looking guard can see."""
    lasting = max(policy.whole("maintenance.urinary_days"), policy.whole("maintenance.memory_days"))
    return today - timedelta(days=2 * policy.whole("maintenance.recent_days") + lasting)


def _undated(work: Work, patient: Patient, since: date) -> Iterator[Logged]:
    """Yield entries whose day can't be relied on, on the day they came in: a wrong clock opens no guard."""
    began = local_days.end(work, since - timedelta(days=1), patient.zone)
    for row in work.rows(_UNDATED, patient=patient.id, since=began):
        at, items, effects, medication, details = row
        yield Logged(local_days.of(work, at, patient.zone), items, effects, medication, details, (None,))


def _troubles(row: Logged) -> Sequence[Trouble]:
    """Return the side effects of one entry. When one began counts where the patient said so."""
    began = {
        detail["term"]: (detail["onset_hours"],)
        for detail in row.side_effect_details
        if detail["onset_source"] == OnsetSource.STATED
    }
    return [
        Trouble(term, grade, row.local_day, row.hours + began.get(term, ()))
        for term, grade in row.side_effects.items()
    ]


def _relapses(work: Work, patient_id: UUID, programme: Arm, policy: Policy) -> Sequence[date]:
    """Return since when each relapse of the programme ran, false alarms left out."""
    found = work.objects(_RELAPSES, patient=patient_id, family=RELAPSE_OF[programme])
    alerts, apart = vault.opened(work, found), policy.whole("alert.lockout_days")
    # Fading that was seen to and went on has two alerts, and is one return.
    return sorted({since for alert in alerts for since in _relapses_of(alert, apart)})


def _relapses_of(alert: Alert, apart: int) -> Sequence[date]:
    """Return since when each relapse of an episode ran: one that came back in it is another one.

    A false alarm is what it spoke of last.
    """
    told = [*alert.evidence.get("earlier", ()), alert.evidence]
    found = [_since(told[0], alert.day)]
    for before, after in pairwise(told):
        seen, since = max(_days(before, alert.day)), _since(after, alert.day)
        if since > seen and (_days(after, alert.day)[0] - seen).days > apart:
            found.append(since)
    return found[:-1] if alert.outcome is Outcome.FALSE_ALARM else found


def _days(evidence: Mapping[str, Any], default: date) -> Sequence[date]:
    """Return the day a part of an episode's evidence is of, and those of what joined it."""
    parts = (evidence, *evidence.get("reports", ()))
    return [date.fromisoformat(part["day"]) if "day" in part else default for part in parts]


def _since(evidence: Mapping[str, Any], default: date) -> date:
    since: Any = evidence.get("since")
    return date.fromisoformat(since) if isinstance(since, str) else default


def _early_returns(course: Course | None, relapses: Sequence[date]) -> int:
    return 0 if course is None else sum(day >= course.started_on for day in relapses)


def _may_be_due(course: Course | None, sessions: Sequence[date], policy: Policy, today: date) -> bool:
    """Say whether own times could make a visit due: looking them up costs too much."""
    given = [day for day in sessions if day <= today]
    if course is None or len(given) < FEWEST_GIVEN:
        return False
    plan = Plan(course.min_interval_days, course.max_interval_days)
    return chance(Prospect(plan, max(given), len(given), None), policy, today) is not Chance.NONE


def _responded(work: Work, patient_id: UUID, programme: Arm) -> bool | None:
    evidence = work.value(_LATEST_EVIDENCE, patient=patient_id, arm=programme) or {}
    answer = (evidence.get("baseline") or {}).get("responded")
    return answer if isinstance(answer, bool) else None


def _age(patient: Patient, today: date) -> int | None:
    """Return the youngest age the birth year allows: the guard must not pass somebody on a guess."""
    return None if patient.birth_year is None else today.year - patient.birth_year - 1


def _open_alerts(work: Work, patient_id: UUID) -> Sequence[tuple[AlertClass, AlertFamily]]:
    return [(row.urgency, row.family) for row in work.rows(_OPEN_ALERTS, patient=patient_id)]


def _screens(work: Work, patient: Patient, instrument: str, policy: Policy, today: date) -> Sequence[Screen]:
    before = today - timedelta(days=policy.whole("maintenance.recent_days") + 1)
    since = local_days.end(work, before, patient.zone)
    return [
        Screen(
            one.local_day if one.is_reliable else local_days.of(work, one.received_at, patient.zone),
            one.total,
            one.is_whole,
        )
        for one in latest_response.standing(work, patient.id, instrument, since)
    ]


def _opioid_changed(logged: Sequence[Logged]) -> date | None:
    return max((row.local_day for row in logged if row.medication.get("opioid_changed")), default=None)


def _craving(logged: Sequence[Logged], policy: Policy, today: date) -> float | None:
    since = today - timedelta(days=policy.whole("maintenance.recent_days") - 1)
    recent = [row.items["craving"] for row in logged if row.local_day >= since and "craving" in row.items]
    return max(recent, default=None)
