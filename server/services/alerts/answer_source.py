"""Which answers an alert rests on, and what became of them since: corrected, taken back, said again."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select

from server.clinical.vocabulary import AlertFamily
from server.models import Alert, BloodPressure, Entry, Patient, QuestionnaireResponse
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts import episode as episodes
from server.services.alerts.alert_source import kinds_of, sources_of, stands
from server.services.alerts.episode import RED_FLAGS, Finding
from server.services.asking import of_patient
from server.services.watch import policy as policies
from server.services.work import Work

# What an alert rests on; its table is called as evidence calls it (`alert_source.SOURCES`).
Source = Entry | QuestionnaireResponse | BloodPressure
_CLOSED = select(Alert).where(
    *of_patient(Alert),
    Alert.family == bindparam("family"),
    Alert.urgency <= bindparam("urgency"),
    Alert.outcome.is_not(None),
    Alert.resolved_at > bindparam("since"),
)


def news(
    work: Work,
    patient: Patient,
    findings: Iterable[Finding],
    before: Mapping[str, object],
    said: Mapping[str, object],
) -> Iterator[Finding]:
    """Yield the ``findings`` of an answer but those that it made before it was corrected and were closed.

    ``before`` and ``said``: what it said of each danger, by code, and says now. Who mends another word of an
    answer that somebody has lately seen to says nothing new.
    """
    unchanged = {code for code in said if before.get(code) == said[code]}
    for finding in findings:
        if not ({*finding.codes} <= unchanged and _was_closed(work, patient, finding)):
            yield finding


def _was_closed(work: Work, patient: Patient, finding: Finding) -> bool:
    """Return whether an alert that rests on this very answer, and as urgent, was closed lately."""
    quiet = timedelta(days=policies.of_patient(work, patient)["alert.return_days"])
    kind = {"family": finding.family, "urgency": finding.urgency}
    closed = vault.opened(work, work.objects(_CLOSED, patient=patient.id, since=work.now - quiet, **kind))
    answer = sources_of(finding.evidence)
    return any({*finding.codes} <= {*one.codes} and answer <= sources_of(one.evidence) for one in closed)


def changed(work: Work, source: Source, still: Collection[AlertFamily]) -> None:
    """Say on the patient's open alerts that an answer they rest on was corrected or taken back.

    ``still``: the families of which it is a red flag all the same. An alert none of whose answers is one
    any more says that it is disproved; closing it is for a person, and until then it goes on climbing.
    One that rests on something that could not be stored never does; of activation the days are judged
    again first, for a trend may support what an answer opened. Nor does one that names two things by one id:
    the other one may stand.
    """
    named = str(source.id)
    for alert in episodes.open_episodes(work, source.patient_id, RED_FLAGS | {AlertFamily.ACTIVATION}):
        kinds, before = kinds_of(alert.evidence, named), set(alert.evidence.get("taken_back", ()))
        after = before - {named} if alert.family in still else before | {named}
        if kinds != {source.__tablename__} or after == before:
            continue
        evidence: Mapping[str, Any] = {**alert.evidence, "taken_back": sorted(after)}
        vault.put(work, alert, "evidence", evidence)
        alert.version += 1
        alerts.log(work, alert, "answer_corrected", {"answer": named, "stands": alert.family in still})
        supported = stands(evidence, after)
        if supported or alert.family in RED_FLAGS:
            episodes.weigh(work, alert, supported)
