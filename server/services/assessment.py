"""Judge days: read a bounded window, let the clinical core decide, store the judgement, act on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import insert, or_, select, union

from server.clinical import relapse, stage_evidence
from server.clinical.baseline import Treatment
from server.clinical.policy import Policy
from server.clinical.readings import History, fold
from server.clinical.stage_evidence import Support
from server.clinical.vocabulary import ITEMS, AlertClass, AlertFamily, Arm, Stage
from server.models import Assessment, Entry, Patient
from server.services import booking_suggestion as booking_suggestions
from server.services import clinic as clinics
from server.services import episode as episodes
from server.services import local_day as local_days
from server.services import scale_request as scale_requests
from server.services import scored_day as scored_days
from server.services import treatment_session as treatment_sessions
from server.services import watch_move as watch_moves
from server.services.episode import Finding
from server.services.incoming import OLDEST
from server.services.scored_day import ScoredDays
from server.services.work import Work

# Days around the last session that a baseline may need, and days back that the watch may walk.
AROUND_SESSION = timedelta(days=120)
FAMILY = {Arm.MOOD: AlertFamily.MOOD_RELAPSE, Arm.PAIN: AlertFamily.PAIN_RELAPSE}
_ARM = {family: arm for arm, family in FAMILY.items()}


@dataclass(frozen=True, slots=True)
class Material:
    """What a judgement is made from: a bounded part of the patient's history."""

    history: History
    treatments: tuple[Treatment, ...]
    sessions: tuple[date, ...]
    scales: ScoredDays
    policy: Policy


def reassess(work: Work, patient: Patient, days: Iterable[date]) -> None:
    """Judge again every day from the oldest of ``days`` on: a late entry changes what follows it.

    So the judgements are those of the data, whatever order the entries came in. Ends by saying on
    open episodes whether the data still support them.
    """
    # A phone's clock may run ahead: no day is judged before it comes, wherever the patient travels.
    latest_day = local_days.of(work, work.now, patient.zone) + timedelta(days=1)
    # A clock that was off by years would have all of the past judged again; it has no day to judge.
    first = max(min(*days, latest_day), latest_day - OLDEST)
    wanted = [day for day in _days_from(work, patient.id, first) if day <= latest_day]
    material = load(work, patient.id, wanted[0], latest_day)
    for day in wanted:
        _judge(work, patient, day, material)
    _follow(work, patient, (first, latest_day), material)
    _weigh_episodes(work, patient)


def judge(work: Work, patient: Patient, day: date) -> Sequence[Assessment]:
    """Judge one day for every arm the patient reports on, store it, and raise what it signals."""
    material = load(work, patient.id, day, day)
    judged = _judge(work, patient, day, material)
    _follow(work, patient, (day, day), material)
    return judged


def load(work: Work, patient_id: UUID, first: date, last: date) -> Material:
    """Read what judging ``first`` .. ``last`` needs: bounded by windows, not by years of history."""
    policy = clinics.policy(work)
    sessions = treatment_sessions.delivered_days(work, patient_id, date.min)
    done = [day for day in sessions if day <= last]
    before = [day for day in done if day <= first]
    wanted = [(first - timedelta(days=policy.whole("relapse.window_days")), last)]
    near = done
    if before:
        near = [day for day in done if day >= before[-1] - AROUND_SESSION]
        wanted.append((near[0], before[-1] + AROUND_SESSION))
    if done:
        wanted.append((done[0] - timedelta(days=policy.whole("baseline.pre_days")), done[0]))
    history = _history(work, patient_id, wanted, last)
    scales = scored_days.load(work, patient_id, (first - watch_moves.LEAD, last), done, policy)
    treatments = tuple(Treatment(day) for day in dict.fromkeys((*done[:1], *near)))
    return Material(history, treatments, tuple(done), scales, policy)


def latest(work: Work, patient_id: UUID, arm: Arm) -> Assessment | None:
    """Return the newest judgement of the newest day for one arm."""
    query = select(Assessment).where(
        Assessment.clinic_id == work.clinic_id, Assessment.patient_id == patient_id, Assessment.arm == arm
    )
    order = (Assessment.day.desc(), Assessment.data_version.desc(), Assessment.policy_version.desc())
    return work.session.scalar(query.order_by(*order).limit(1))


def _judge(work: Work, patient: Patient, day: date, material: Material) -> Sequence[Assessment]:
    return [_judge_arm(work, patient, arm, day, material) for arm in _arms(material)]


def _judge_arm(work: Work, patient: Patient, arm: Arm, day: date, material: Material) -> Assessment:
    judged = relapse.watch(material.history, arm, material.treatments, material.policy, day)
    row = _store(work, patient, judged, material.policy)
    scale_requests.ask(work, patient, judged, material.policy)
    if judged.signal:
        finding = Finding(
            family=FAMILY[arm],
            urgency=AlertClass.P2,
            day=day,
            codes=tuple(dict.fromkeys(row.rules)),
            summary=judged.text,
            evidence=dict(judged.evidence),
        )
        _raise(work, patient, arm, finding)
    return row


def _raise(work: Work, patient: Patient, arm: Arm, finding: Finding) -> None:
    alert = episodes.raise_alert(work, patient, finding)
    if alert is not None:
        booking_suggestions.suggest_after_alert(work, patient, alert, arm)


def _follow(work: Work, patient: Patient, span: tuple[date, date], material: Material) -> None:
    """Follow the stage of each arm over ``span``; a scale that makes a relapse probable raises an alert."""
    for arm in _arms(material):
        made = watch_moves.grounds(work, patient, arm, span, material)
        found = watch_moves.course(made)
        for alarm in found.alarms:
            resting = watch_moves.support(work, made, alarm.day, alarm.ground)
            _raise(work, patient, arm, _finding(arm, resting, material.policy))
        moves_to_probable = any(move.after is Stage.PROBABLE for move in found.moves)
        current = episodes.open_episode(work, patient.id, FAMILY[arm]) if moves_to_probable else None
        watch_moves.write(work, made, found, None if current is None else current.id)
        scale_requests.ask_again(work, patient, made.facts, material.policy)


def _finding(arm: Arm, resting: Support, policy: Policy) -> Finding:
    return Finding(
        family=FAMILY[arm],
        urgency=AlertClass.P2,
        day=resting.day,
        codes=stage_evidence.codes(resting),
        summary=stage_evidence.text(resting, Stage.PROBABLE, policy),
        evidence=dict(stage_evidence.evidence(resting, policy)),
    )


def _store(work: Work, patient: Patient, judged: relapse.Assessment, policy: Policy) -> Assessment:
    key = (work.clinic_id, patient.id, judged.arm, judged.day, patient.change_counter, policy.version)
    stored = work.session.get(Assessment, key)
    if stored is not None:
        return stored
    values = {
        "clinic_id": work.clinic_id,
        "patient_id": patient.id,
        "arm": judged.arm,
        "day": judged.day,
        "data_version": patient.change_counter,
        "policy_version": policy.version,
        "state": judged.state,
        "signal": judged.signal,
        "rules": [f"{hit.rule}:{hit.series}" for hit in judged.rules],
        "evidence": dict(judged.evidence),
        "text": judged.text,
        "made_at": work.now,
    }
    work.session.execute(insert(Assessment).values(**values))
    return Assessment(**values)


def _history(work: Work, patient_id: UUID, ranges: Sequence[tuple[date, date]], last: date) -> History:
    within = or_(*(Entry.local_day.between(first, min(end, last)) for first, end in ranges))
    rows = work.session.execute(
        select(Entry.local_day, Entry.items).where(
            Entry.clinic_id == work.clinic_id,
            Entry.patient_id == patient_id,
            Entry.deleted_at.is_(None),
            Entry.day_reliable,
            within,
        )
    )
    return fold((row.local_day, row.items) for row in rows)


def _days_from(work: Work, patient_id: UUID, first: date) -> Sequence[date]:
    """Return the days from ``first`` on that have an entry or a judgement, oldest first."""
    known = [
        select(day).where(table.clinic_id == work.clinic_id, table.patient_id == patient_id, day > first)
        for table, day in ((Entry, Entry.local_day), (Assessment, Assessment.day))
    ]
    return sorted({first, *work.session.scalars(union(*known))})


def _weigh_episodes(work: Work, patient: Patient) -> None:
    for episode in episodes.open_episodes(work, patient.id, (*FAMILY.values(), AlertFamily.SILENCE)):
        if episode.family is not AlertFamily.SILENCE:
            first = date.fromisoformat(episode.evidence.get("first_day", episode.day.isoformat()))
            span = (first, episode.day)
            arm = _ARM[episode.family]
            supported = _signalled(work, patient.id, arm, span) or _alarmed(work, patient, arm, span)
            episodes.weigh(work, episode, supported)
        elif "since" in episode.evidence:
            since = date.fromisoformat(episode.evidence["since"])
            episodes.weigh(work, episode, not _reported(work, patient.id, since))


def _alarmed(work: Work, patient: Patient, arm: Arm, span: tuple[date, date]) -> bool:
    """Return whether a scale makes the relapse probable on any day of ``span``."""
    made = watch_moves.grounds(work, patient, arm, span, load(work, patient.id, *span))
    return bool(watch_moves.course(made).alarms)


def _reported(work: Work, patient_id: UUID, first: date) -> bool:
    """Return whether the patient has an entry of ``first`` or later."""
    query = select(Entry.id).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.local_day >= first,
        Entry.deleted_at.is_(None),
    )
    return work.session.scalar(query.limit(1)) is not None


def _signalled(work: Work, patient_id: UUID, arm: Arm, span: tuple[date, date]) -> bool:
    """Return whether the newest judgement of any day of ``span`` is a signal."""
    query = (
        select(Assessment.day, Assessment.signal)
        .where(Assessment.clinic_id == work.clinic_id, Assessment.patient_id == patient_id)
        .where(Assessment.arm == arm, Assessment.day.between(*span))
        .order_by(Assessment.data_version, Assessment.policy_version)
    )
    return any({row.day: row.signal for row in work.session.execute(query)}.values())


def _arms(material: Material) -> tuple[Arm, ...]:
    """Return the arms whose own items or scales are there (sleep and function speak for both)."""
    keys = {key for reading in material.history.readings for key in reading.items}
    return tuple(
        arm for arm in Arm if arm in material.scales or any(ITEMS[key].arms == {arm} for key in keys)
    )
