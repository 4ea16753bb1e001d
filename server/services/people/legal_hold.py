"""Legal holds: while one stands, nothing of the patient is erased and nothing of them runs out."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from uuid_utils.compat import uuid7

from server.models import LegalHold, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.errors import Invalid, NotFound, Stale
from server.services.work import Work


def place(work: Work, patient_id: UUID, reason: str, until: date | None) -> LegalHold:
    """Hold all there is of a patient, up to ``until`` (included, None: until released).

    Also one whose erasure is under way: what is left stays. Raises NotFound, Invalid for a day in the past.
    """
    patient = work.session.get(Patient, (work.clinic_id, patient_id), with_for_update=True)
    if patient is None:
        raise NotFound("patient")
    if until is not None and until < local_days.of(work, work.now, patient.zone):
        raise Invalid("/until", "The day is over.")
    assert work.actor.account_id is not None, "a person places it"
    hold = LegalHold(clinic_id=work.clinic_id, id=uuid7(), patient_id=patient_id, until=until, version=1)
    hold.placed_by, hold.placed_at = work.actor.account_id, work.now
    vault.put(work, hold, "reason", reason)
    work.session.add(hold)
    work.session.flush()
    work.audit("legal-hold.place", patient_id, hold.id)
    return hold


def release(work: Work, patient_id: UUID, hold_id: UUID, version: int) -> LegalHold:
    """End a hold. Again is harmless. Raises NotFound, Stale."""
    hold = work.session.get(LegalHold, (work.clinic_id, hold_id), with_for_update=True)
    if hold is None or hold.patient_id != patient_id:
        raise NotFound("legal hold")
    vault.opened(work, [hold])
    if hold.released_at is not None:
        return hold
    if hold.version != version:
        raise Stale(hold)
    hold.released_at, hold.released_by = work.now, work.actor.account_id
    hold.version += 1
    work.audit("legal-hold.release", patient_id, hold.id)
    return hold


def page(work: Work, patient_id: UUID, after: UUID | None, size: int) -> Sequence[LegalHold]:
    """Return up to ``size`` holds of a patient, released ones among them, in the order they were placed.

    Raises NotFound.
    """
    if work.session.get(Patient, (work.clinic_id, patient_id)) is None:
        raise NotFound("patient")
    query = select(LegalHold).where(LegalHold.clinic_id == work.clinic_id, LegalHold.patient_id == patient_id)
    if after is not None:
        query = query.where(LegalHold.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(LegalHold.id).limit(size))))


def stands(today: date | Any) -> ColumnElement[bool]:
    """Return what holds for a hold that stands on ``today``.

    The last day is the patient's own, and the clinic's clock may be a day ahead of it.
    """
    return and_(LegalHold.released_at.is_(None), or_(LegalHold.until.is_(None), LegalHold.until >= today))


def is_held(work: Work, patient_id: UUID) -> bool:
    """Say whether a hold stands for a patient today, where they are."""
    patient = work.session.get(Patient, (work.clinic_id, patient_id))
    today = work.now.date() if patient is None else local_days.of(work, work.now, patient.zone)
    query = select(LegalHold.id).where(
        LegalHold.clinic_id == work.clinic_id, LegalHold.patient_id == patient_id, stands(today)
    )
    return work.session.scalar(query.limit(1)) is not None
