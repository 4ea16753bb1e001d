"""Judge days: read a bounded window, let the clinical core decide, store the judgement, act on it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from server.clinical import relapse
from server.clinical.policy import Policy
from server.clinical.vocabulary import ARM_OF, RELAPSE_OF, AlertClass, AlertFamily, Arm
from server.models import Alert, Assessment, Patient
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.asking import between, of_patient
from server.services.foresight import Foresight, foresight
from server.services.scales import scale_request as scale_requests
from server.services.watch import activation as activations
from server.services.watch import material as materials
from server.services.watch import relapse_alert as relapse_alerts
from server.services.watch import sign_of_life as signs_of_life
from server.services.watch import stage as stages
from server.services.watch.judgement import Judgements
from server.services.watch.material import Material, load, load_each
from server.services.work import Work

_VERSIONS = (Assessment.data_version, Assessment.policy_version, Assessment.patient_policy_version)
_OF_ARM = (*of_patient(Assessment), Assessment.arm == bindparam("arm"))
_LATEST = (
    select(Assessment)
    .where(*_OF_ARM)
    .order_by(Assessment.day.desc(), *(version.desc() for version in _VERSIONS))
    .limit(1)
)
_SIGNALS = (
    select(Assessment.day, Assessment.signal).where(*_OF_ARM, between(Assessment.day)).order_by(*_VERSIONS)
)


def reassess(work: Work, patient: Patient, days: Iterable[date]) -> None:
    """Judge again every day from the oldest of ``days`` on: a late entry changes what follows it.

    So the judgements are those of the data, whatever order the entries came in. Ends by saying on
    open episodes whether the data still support them.
    """
    with foresight(work) as ahead:
        begun = materials.foresee(ahead, patient, min(days))
        activations.foresee(ahead, [patient])
        wanted = materials.days_to_judge(work, patient, min(days))
        # A scale of a later day may rest on what is judged here.
        material = load(work, patient, wanted[0], materials.latest_day(work, patient), begun)
        judgements = Judgements(work)
        _judge(judgements, patient, wanted, material)
        judgements.write()
    with foresight(work) as ahead:
        _follow(ahead, [(patient, material)])
    weigh_episodes(work, patient)


def judge(work: Work, patient: Patient, day: date) -> None:
    """Judge one day for every arm the patient reports on, store it, and raise what it signals."""
    judge_each(work, [(patient, day)])


def judge_each(work: Work, days: Sequence[tuple[Patient, date]]) -> None:
    """Do so with a day of each of several patients, asking and writing at once what all of them need."""
    with foresight(work) as ahead:
        read = list(zip((patient for patient, _ in days), load_each(ahead, days), strict=True))
        activations.foresee(ahead, (patient for patient, _ in days))
        judgements = Judgements(work)
        for patient, material in read:
            _judge(judgements, patient, (material.last,), material)
        judgements.write()
        _follow(ahead, read)


def _follow(ahead: Foresight, read: Sequence[tuple[Patient, Material]]) -> None:
    stages.foresee(ahead, read)
    for patient, material in read:
        stages.follow(ahead.work, patient, (material.first, material.last), material)


def latest(work: Work, patient_id: UUID, arm: Arm) -> Assessment | None:
    """Return the newest judgement of the newest day for one arm."""
    return next(iter(work.objects(_LATEST, patient=patient_id, arm=arm)), None)


def _judge(judgements: Judgements, patient: Patient, days: Sequence[date], material: Material) -> None:
    facts = activations.gather(judgements.work, patient, material)
    watched = [_watched(material, arm, days) for arm in stages.arms(material)]
    for day in days:
        # Activation first: a visit that is suggested below must already see it.
        activations.judge(judgements, patient, day, facts, material.policy)
        for arm in watched:
            act(judgements, patient, next(arm), material.policy)


def _watched(material: Material, arm: Arm, days: Sequence[date]) -> Iterator[relapse.Assessment]:
    return relapse.watch_days(material.history, arm, material.treatments, material.policy, days)


def act(judgements: Judgements, patient: Patient, judged: relapse.Assessment, policy: Policy) -> None:
    """Keep a judgement, ask for the scale that it calls for, and raise what it signals."""
    work, arm, day = judgements.work, judged.arm, judged.day
    row = _row(work, patient, judged, policy)
    judgements.add(Assessment, row)
    scale_requests.ask(work, patient, judged, policy)
    if judged.signal:
        judgements.write()  # what is suggested for a signal rests on the judgements
        finding = Finding(
            family=RELAPSE_OF[arm],
            urgency=AlertClass.P2,
            day=day,
            codes=tuple(dict.fromkeys(row["rules"])),
            summary=judged.text,
            evidence=row["evidence"],
        )
        since = date.fromisoformat(row["evidence"].get("since") or day.isoformat())
        relapse_alerts.raise_for(work, patient, arm, finding, since)


def _row(work: Work, patient: Patient, judged: relapse.Assessment, policy: Policy) -> dict[str, Any]:
    return {
        "clinic_id": work.clinic_id,
        "patient_id": patient.id,
        "arm": judged.arm,
        "day": judged.day,
        "data_version": patient.change_counter,
        "policy_version": policy.version,
        "patient_policy_version": policy.patient_version,
        "state": judged.state,
        "signal": judged.signal,
        "rules": [f"{hit.rule}:{hit.series}" for hit in judged.rules],
        "evidence": {**judged.evidence, "patient_policy_version": policy.patient_version},
        "text": judged.text,
        "made_at": work.now,
    }


def weigh_episodes(work: Work, patient: Patient) -> Sequence[Alert]:
    """Say on every open episode of a trend or a silence whether the data still support it; return them."""
    families = (*ARM_OF, AlertFamily.ACTIVATION, AlertFamily.SILENCE)
    found = episodes.open_episodes(work, patient.id, families)
    for episode in found:
        if episode.family is AlertFamily.ACTIVATION:
            activations.weigh(work, episode)
        elif episode.family is not AlertFamily.SILENCE:
            first = date.fromisoformat(episode.evidence.get("first_day", episode.day.isoformat()))
            span, arm = (first, episode.day), ARM_OF[episode.family]
            supported = _signalled(work, patient.id, arm, span) or stages.is_alarmed(work, patient, arm, span)
            episodes.weigh(work, episode, supported)
        elif "since" in episode.evidence:
            since = date.fromisoformat(episode.evidence["since"])
            episodes.weigh(work, episode, not signs_of_life.is_since(work, patient, since))
    return found


def _signalled(work: Work, patient_id: UUID, arm: Arm, span: tuple[date, date]) -> bool:
    """Return whether the newest judgement of any day of ``span`` is a signal."""
    rows = work.rows(_SIGNALS, patient=patient_id, arm=arm, first=span[0], last=span[1])
    return any({row.day: row.signal for row in rows}.values())
