"""Which answers an alert rests on, and what became of them since: corrected, taken back, said again."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from server.clinical.vocabulary import AlertFamily
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts import episode as episodes
from server.services.alerts.alert_source import sources_of, stands
from server.services.alerts.episode import RED_FLAGS
from server.services.work import Work


def changed(work: Work, patient_id: UUID, source_id: UUID, still: Collection[AlertFamily]) -> None:
    """Say on the patient's open alerts that an answer they rest on was corrected or taken back.

    ``still``: the families of which it is a red flag all the same. An alert none of whose answers is one
    any more says that it is disproved; closing it is for a person, and until then it goes on climbing.
    One that rests on something that could not be stored never does; of activation the days are judged
    again first, for a trend may support what an answer opened.
    """
    named = str(source_id)
    for alert in episodes.open_episodes(work, patient_id, RED_FLAGS | {AlertFamily.ACTIVATION}):
        sources, before = sources_of(alert.evidence), set(alert.evidence.get("taken_back", ()))
        after = before - {named} if alert.family in still else before | {named}
        if named not in sources or after == before:
            continue
        evidence: Mapping[str, Any] = {**alert.evidence, "taken_back": sorted(after)}
        vault.put(work, alert, "evidence", evidence)
        alert.version += 1
        alerts.log(work, alert, "answer_corrected", {"answer": named, "stands": alert.family in still})
        supported = stands(evidence, after)
        if supported or alert.family in RED_FLAGS:
            episodes.weigh(work, alert, supported)
