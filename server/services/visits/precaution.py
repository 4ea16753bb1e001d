"""Precautions: what the care team knows of a patient that speaks against a visit."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from uuid_utils.compat import uuid7

from server.clinical.facts import Known
from server.models import Precaution
from server.services import local_day as local_days
from server.services import vault
from server.services.asking import of_patient
from server.services.errors import Invalid, NotFound, Stale
from server.services.people import patient as patients
from server.services.work import Work

_HELD = select(Precaution.code, Precaution.since, Precaution.until).where(
    *of_patient(Precaution),
    Precaution.ended_at.is_(None),
    Precaution.since <= bindparam("today"),
    or_(Precaution.until.is_(None), Precaution.until >= bindparam("today")),
)


def create(work: Work, patient_id: UUID, values: dict[str, Any]) -> Precaution:
    """Record a precaution: code, perhaps since (a local day; today), until and a note."""
    patient = patients.get(work, patient_id, stays=True)
    note = values.pop("note", None)
    since = values.pop("since", None) or local_days.of(work, work.now, patient.zone)
    if (values.get("until") or since) < since:
        raise Invalid("/until", "Lies before the start.")
    assert work.actor.account_id is not None, "a precaution is recorded by a person"
    precaution = Precaution(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient_id,
        since=since,
        recorded_by=work.actor.account_id,
        created_at=work.now,
        version=1,
        **values,
    )
    vault.put(work, precaution, "note", note)
    work.session.add(precaution)
    work.session.flush()
    work.audit("precaution.create", patient_id, precaution.id)
    return precaution


def end(work: Work, patient_id: UUID, precaution_id: UUID, version: int) -> Precaution:
    """End a precaution: it speaks against nothing any more. Again is harmless; raises Stale, NotFound."""
    patients.get(work, patient_id)
    key = (work.clinic_id, precaution_id)
    precaution = work.session.get(Precaution, key, with_for_update={"key_share": True})
    if precaution is None or precaution.patient_id != patient_id:
        raise NotFound("precaution")
    vault.opened(work, [precaution])
    if precaution.ended_at is not None:
        work.audit("precaution.read", patient_id, precaution.id)
        return precaution
    if precaution.version != version:
        raise Stale(precaution)
    precaution.ended_at, precaution.ended_by = work.now, work.actor.account_id
    precaution.version += 1
    work.audit("precaution.end", patient_id, precaution.id)
    return precaution


def page(work: Work, patient_id: UUID, after: UUID | None, size: int) -> Sequence[Precaution]:
    """Return precautions in the order they were recorded, those that have ended among them."""
    patients.get(work, patient_id)
    query = select(Precaution).where(
        Precaution.clinic_id == work.clinic_id, Precaution.patient_id == patient_id
    )
    if after is not None:
        query = query.where(Precaution.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(Precaution.id).limit(size))))


def held(work: Work, patient_id: UUID, today: date) -> Sequence[Known]:
    """Return what holds on ``today``, a local day."""
    return [Known(*row) for row in work.rows(_HELD, patient=patient_id, today=today)]
