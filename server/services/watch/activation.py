"""The activation watch of one patient: gather what it looks at, judge a day, store it, tell the team."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from statistics import fmean
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical import mania, redflags
from server.clinical.mania_levels import ActivationFacts
from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertFamily, Condition
from server.models import Activation, Alert, Entry, Patient
from server.services.alerts import episode as episodes
from server.services.alerts.alert_source import answers_stand
from server.services.alerts.episode import Finding
from server.services.asking import between, of_patient
from server.services.foresight import Foresight
from server.services.journal.answers import answers_of
from server.services.scales import open_scale as open_scales
from server.services.scales.scored_day import ASRM, DIGIBP, FilledScale
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import confounder as confounders
from server.services.watch import material as materials
from server.services.watch.judgement import Judgements
from server.services.watch.material import Material
from server.services.work import Work
from server.services.writing import Row

_JUDGED = (
    select(Activation)
    .where(*of_patient(Activation), between(Activation.day))
    .order_by(
        Activation.day,
        Activation.data_version,
        Activation.policy_version,
        Activation.patient_policy_version,
    )
)


def foresee(ahead: Foresight, each: Iterable[Patient]) -> None:
    """Ask at once for what `gather` is about to ask of several patients."""
    courses.foresee(ahead, (patient.id for patient in each if not patient.bipolar_risk))


def gather(work: Work, patient: Patient, material: Material) -> ActivationFacts:
    """Return what the days of ``material`` are judged from."""
    asrm, digibp = _scales(material.filled)
    left_open = _left_open(work, patient.id, material, asrm)
    return ActivationFacts(
        history=material.history,
        treatments=material.treatments,
        asrm={**asrm, **left_open},
        asrm_open=left_open.keys(),
        digibp=digibp,
        late_signs=_late_signs(work, patient.id, material),
        at_risk=is_at_risk(work, patient),
    )


def judge(
    judgements: Judgements, patient: Patient, day: date, facts: ActivationFacts, policy: Policy
) -> None:
    """Judge one day, have the judgement stored, and raise what it shows."""
    judged, work = mania.assess(facts, policy, day), judgements.work
    judgements.add(Activation, _row(work, patient, judged, policy))
    if judged.urgency is None:
        return
    judgements.write()
    finding = Finding(
        family=AlertFamily.ACTIVATION,
        urgency=judged.urgency,
        day=day,
        codes=tuple(judged.rules),
        summary=judged.text,
        evidence=dict(judged.evidence),
    )
    episodes.raise_alert(work, patient, confounders.beside(work, patient, finding, day))


def weigh(work: Work, episode: Alert) -> None:
    """Say on an open episode whether the judgements of its days still support it.

    What a single answer says (high spirits, a scale that can't wait) supports it for as long as it stands,
    and closing it is for a person, like any other red flag.
    """
    if answers_stand(episode.evidence, {*episode.evidence.get("taken_back", ())}):
        return
    first = date.fromisoformat(episode.evidence.get("first_day", episode.day.isoformat()))
    newest = {row.day: row for row in _rows(work, episode.patient_id, first, episode.day)}
    episodes.weigh(work, episode, any(row.urgency is not None for row in newest.values()))


def history(work: Work, patient_id: UUID, first: date, last: date) -> Sequence[Activation]:
    """Return the judgement that holds for each judged day of ``first`` .. ``last``, oldest first."""
    # Late data make a day judged again: the last judgement of each day is the one that holds.
    return list({row.day: row for row in _rows(work, patient_id, first, last)}.values())


def is_at_risk(work: Work, patient: Patient) -> bool:
    """Return whether the patient was flagged at enrolment or is treated for bipolar depression."""
    if patient.bipolar_risk:
        return True
    return Condition.BIPOLAR_DEPRESSION in courses.active_conditions(work, patient.id)


def _row(work: Work, patient: Patient, judged: mania.Activation, policy: Policy) -> Row:
    return {
        "clinic_id": work.clinic_id,
        "patient_id": patient.id,
        "day": judged.day,
        "data_version": patient.change_counter,
        "policy_version": policy.version,
        "patient_policy_version": policy.patient_version,
        "urgency": judged.urgency,
        "rules": [str(rule) for rule in judged.rules],
        "evidence": dict(judged.evidence),
        "text": judged.text,
        "made_at": work.now,
    }


def _rows(work: Work, patient_id: UUID, first: date, last: date) -> Sequence[Activation]:
    return work.objects(_JUDGED, patient=patient_id, first=first, last=last)


def _scales(
    filled: Sequence[FilledScale],
) -> tuple[Mapping[date, float], tuple[tuple[date, float], ...]]:
    """Return the highest ASRM total and the mean of the digiBP's mania items, by day."""
    asrm: dict[date, float] = {}
    digibp: dict[date, list[float]] = defaultdict(list)
    for instrument, day, total, subscores, _ in filled:
        if instrument == ASRM and total is not None:
            asrm[day] = max(total, asrm.get(day, total))
        elif instrument == DIGIBP and (mania_items := subscores.get("mania")) is not None:
            digibp[day].append(mania_items)
    return asrm, tuple((day, fmean(digibp[day])) for day in sorted(digibp))


def _left_open(
    work: Work, patient_id: UUID, material: Material, totals: Mapping[date, float]
) -> Mapping[date, float]:
    """Return what ASRMs that were left too open for a total come to, where that is the most of their day."""
    days = material.first, material.last
    filled = (one for one in material.filled if one.instrument == ASRM and one.local_day >= days[0])
    if all(one.total is not None for one in filled):  # nearly always
        return {}
    found = open_scales.least_totals(work, patient_id, ASRM, days)
    return {day: least for day, least in found.items() if day not in totals or least > totals[day]}


def _late_signs(work: Work, patient_id: UUID, material: Material) -> Mapping[date, Sequence[str]]:
    """Return the signs of activation reported on the days to judge, by day."""
    if not material.signs:  # nearly always
        return {}
    query = select(Entry).where(
        Entry.clinic_id == work.clinic_id, Entry.patient_id == patient_id, Entry.id.in_(material.signs)
    )
    sessions = treatment_sessions.delivered_moments(work, patient_id)
    found: dict[date, list[str]] = defaultdict(list)
    for entry in work.session.scalars(query):
        found[entry.local_day] += _signs(entry, sessions, material.policy)
    return {day: sorted(terms) for day, terms in found.items()}


def _signs(entry: Entry, sessions: Sequence[datetime], policy: Policy) -> list[str]:
    flags = redflags.check(answers_of(entry, sessions), policy)
    return [flag.code for flag in flags if flag.family is AlertFamily.ACTIVATION]


def chart(work: Work, patient: Patient, day: date) -> Mapping[str, Any]:
    """Return the two-sided chart of energy, sleep and mood as of ``day``."""
    material = materials.load(work, patient, day, day)
    facts = ActivationFacts(material.history, material.treatments)
    return mania.plain_chart(facts, material.policy, day)
