"""Every alert a patient ever had, for another system: with when it last changed, and what it rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from server.clinical.vocabulary import ARM_OF
from server.models import Alert, AlertEvent, Entry, PolicyActivation, QuestionnaireResponse
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts.alert_source import sources_of
from server.services.journal.batches import batches
from server.services.journal.reported import EVERYTHING, Wanted, within
from server.services.work import Work

# So many entries and filled scales at the most are named behind one alert, the latest.
MOST_BEHIND = 60
_CHANGED_AT = (
    select(func.max(AlertEvent.at))
    .where(AlertEvent.clinic_id == Alert.clinic_id, AlertEvent.alert_id == Alert.id)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert, when its log was last written to, the policy in force when it opened, what it rests on."""

    alert: Alert
    changed_at: datetime
    policy: int
    entries: Sequence[Entry]
    responses: Sequence[QuestionnaireResponse]


def of_patient(work: Work, patient_id: UUID, wanted: Wanted = EVERYTHING) -> Iterator[PastAlert]:
    """Yield a patient's alerts in the order they opened; ``felt`` is when they opened."""
    query: Select[Any] = select(Alert).where(
        Alert.clinic_id == work.clinic_id, Alert.patient_id == patient_id
    )
    for column, spans in ((Alert.opened_at, wanted.felt), (_CHANGED_AT, wanted.changed)):
        for since, before in spans:
            query = query.where(*within(column, since, before))
    for batch in batches(work, query, Alert.id, wanted.first):
        for alert in vault.opened(work, batch):
            yield _past(work, alert)


def get(work: Work, alert_id: UUID) -> PastAlert:
    """Return one alert of the actor's clinic; raises as `alert.get` does."""
    return _past(work, alerts.get(work, alert_id))


def _past(work: Work, alert: Alert) -> PastAlert:
    key = (Alert.clinic_id == work.clinic_id, Alert.id == alert.id)
    changed_at = work.session.scalar(select(_CHANGED_AT).where(*key))
    in_force = select(func.max(PolicyActivation.version)).where(
        PolicyActivation.clinic_id == work.clinic_id, PolicyActivation.activated_at <= alert.opened_at
    )
    return PastAlert(
        alert=alert,
        changed_at=changed_at or alert.opened_at,
        policy=work.session.scalar(in_force) or 0,
        entries=_behind(work, alert, Entry),
        responses=_behind(work, alert, QuestionnaireResponse),
    )


def _behind(work: Work, alert: Alert, table: Any) -> Sequence[Any]:
    """Return what an alert names; of a trend, the entries of the days it speaks of."""
    query = select(table).where(table.clinic_id == work.clinic_id, table.patient_id == alert.patient_id)
    named = [UUID(one) for one in sources_of(alert.evidence)]
    if named:
        query = query.where(table.id.in_(named))
    elif table is Entry and alert.family in ARM_OF:
        query = query.where(table.local_day.between(_since(alert), alert.day))
    else:
        return []
    found = work.session.scalars(query.order_by(table.local_day.desc(), table.id.desc()).limit(MOST_BEHIND))
    return vault.opened(work, list(found))


def _since(alert: Alert) -> date:
    said = (alert.evidence.get(name) for name in ("since", "first_day"))
    return min([alert.day, *(date.fromisoformat(day) for day in said if day is not None)])
