"""Patients of the actor's clinic."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update
from uuid_utils.compat import uuid7

from server import planning
from server.clinical.vocabulary import Role
from server.models import Account, Clinic, Patient, PolicyVersion, Rota
from server.services import local_day as local_days
from server.services.errors import Invalid, NotFound, Stale
from server.services.people import clinic as clinics
from server.services.people import zone_change as zone_changes
from server.services.people.zone_change import PastZone
from server.services.watch import ground_rules
from server.services.work import Work

# Under which names a transaction keeps the delivered, and the cancelled sessions it has read.
DELIVERED, CANCELLED = "delivered_sessions", "cancelled_sessions"
# With what holds at the clinic: whoever locks a patient judges them next.
_LOCKED = (
    select(Patient, *ground_rules.HELD)
    .join(Clinic, Clinic.id == Patient.clinic_id)
    .join(PolicyVersion, ground_rules.CURRENT)
    .outerjoin(Rota, ground_rules.ROTA)
    .where(Patient.clinic_id == bindparam("clinic"), Patient.id == bindparam("patient"))
    .where(Patient.leaving_at.is_(None))
    # SQLite has no row locks and needs none: a writing transaction there is alone. The key stays free: who
    # writes a row that names the patient, a message or a change of an alert, need not wait for the diary.
    .with_for_update(of=Patient, key_share=True)
    .execution_options(populate_existing=True)
)

# Whoever writes the diary need not wait for this, nor this for them; who lets a patient go does.
_STAYING = (
    select(Patient.id)
    .where(Patient.clinic_id == bindparam("clinic"), Patient.id.in_(bindparam("patients", expanding=True)))
    .where(Patient.leaving_at.is_(None))
    .order_by(Patient.id)
    .with_for_update(read=True, key_share=True)
)

_HAS_ENDED = (
    Patient.clinic_id == bindparam("clinic"),
    Patient.next_close_at <= bindparam("now"),
    Patient.leaving_at.is_(None),
)
_ASIDE = (Patient.set_aside_at.is_not(None), Patient.leaving_at.is_(None))
_DUE_TO_CLOSE = (
    select(Patient).where(*_HAS_ENDED).order_by(Patient.next_close_at, Patient.id).limit(bindparam("limit"))
)
_TAKEN_TO_CLOSE = (
    select(Patient)
    .where(*_HAS_ENDED, Patient.id.in_(bindparam("ids", expanding=True)))
    .order_by(Patient.next_close_at, Patient.id)
    .with_for_update(skip_locked=True, key_share=True)
)


def create(work: Work, values: dict[str, Any], patient_id: UUID | None = None) -> Patient:
    """Register a patient: name, zone, and perhaps country, birth year and responsible clinician.

    ``patient_id``: a UUIDv7, where the caller must find the patient again.
    """
    _check_clinician(work, values.get("clinician_id"))
    country = values.pop("country", None) or clinics.get(work).country
    patient = Patient(
        clinic_id=work.clinic_id,
        id=patient_id or uuid7(),
        country=country,
        change_counter=0,
        policy_version=0,
        next_close_at=local_days.end(work, local_days.of(work, work.now, values["zone"]), values["zone"]),
        version=1,
        created_at=work.now,
        **values,
    )
    work.session.add(patient)
    work.session.flush()
    work.audit("patient.create", patient.id)
    return patient


def get(work: Work, patient_id: UUID, stays: bool = False) -> Patient:
    """Return one patient of the actor's clinic, or raise NotFound.

    A patient finds only themself, a caregiver only whom they act for. ``stays``: for whoever writes about
    them without their lock; nobody begins to erase them meanwhile.
    """
    is_bound = work.actor.role in (Role.PATIENT, Role.CAREGIVER)
    own_only = is_bound and work.actor.patient_id != patient_id
    key, held = (work.clinic_id, patient_id), {"read": True, "key_share": True} if stays else None
    patient = None
    if not own_only:
        patient = work.session.get(Patient, key, with_for_update=held, populate_existing=stays)
    if patient is None or patient.leaving_at is not None:
        raise NotFound("patient")
    return patient


def knows_any(work: Work, patient_ids: Collection[UUID]) -> bool:
    """Say whether anybody at the actor's clinic has one of these ids."""
    found = select(Patient.id).where(Patient.clinic_id == work.clinic_id, Patient.id.in_(patient_ids))
    return bool(patient_ids) and work.session.scalar(found.limit(1)) is not None


def is_here(owned: Any) -> ColumnElement[bool]:
    """Return what holds for rows of the table ``owned`` but those of patients who are about to be erased.

    For what staff looks for by anything else than the patient, whom they do not find any more (`get`).
    """
    # By the patient's key, a row at a time. Of `EXISTS` PostgreSQL makes a join, for which it rather reads
    # all patients than ask for some hundred.
    mine = (Patient.clinic_id == owned.clinic_id, Patient.id == owned.patient_id)
    return select(Patient.leaving_at.is_(None)).where(*mine).correlate(owned).scalar_subquery()


def leaving(work: Work) -> Select[UUID]:
    """Return a query of the clinic's patients who are about to be erased: a few at the most."""
    return select(Patient.id).where(Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_not(None))


def withdrawn(work: Work) -> Select[UUID]:
    """Return a query of the clinic's patients who do not let the care team read their diary."""
    return select(Patient.id).where(
        Patient.clinic_id == work.clinic_id, Patient.team_withdrawn_at.is_not(None)
    )


def withdrawn_of(work: Work, patient_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of the clinic's ``patient_ids`` those are."""
    return set(work.session.scalars(withdrawn(work).where(Patient.id.in_({*patient_ids}))))


def page(work: Work, after: UUID | None, size: int) -> list[Patient]:
    """Return up to ``size`` patients whose id comes after ``after``, in id order."""
    query = select(Patient).where(Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_(None))
    if after is not None:
        query = query.where(Patient.id > after)
    return list(work.session.scalars(query.order_by(Patient.id).limit(size)))


def update_details(work: Work, patient_id: UUID, changes: dict[str, Any], version: int) -> Patient:
    """Change a patient's details if ``version`` is still the current one; else raises Stale."""
    get(work, patient_id)
    patient = lock(work, patient_id)
    if patient.version != version:
        raise Stale(patient)
    if changes.get("clinician_id") != patient.clinician_id:
        _check_clinician(work, changes.get("clinician_id"))
    if "paused_until" in changes:
        changes = changes | {"paused_until": _pause_end(patient, changes["paused_until"], work.now)}
    for key, value in changes.items():
        if key != "zone":
            setattr(patient, key, value)
    if "name" in changes:
        _rename_account(work, patient)
    if "bipolar_risk" in changes:
        patient.change_counter += 1  # the days to come are judged from other facts
    if changes.get("zone", patient.zone) != patient.zone:
        zone_changes.record(work, patient, changes["zone"], work.now)
    patient.version += 1
    work.audit("patient.update", patient.id)
    return patient


def report_zone(work: Work, patient_id: UUID, zone: str, since: datetime) -> Patient:
    """Take a patient's report of their zone from ``since`` (aware) on, and plan anew."""
    patient = lock(work, patient_id)
    if zone_changes.record(work, patient, zone, since):
        patient.version += 1
    return patient


def restore_zones(work: Work, patient_id: UUID, past: Sequence[PastZone]) -> int:
    """Put back what a patient reported of their zones earlier; return how many reports were missing."""
    patient = lock(work, patient_id)
    missing = zone_changes.restore(work, patient, past)
    patient.version += bool(missing)
    return missing


def lock(work: Work, patient_id: UUID) -> Patient:
    """Lock the patient's row until the transaction ends and return it as it is now.

    Every write to a journal takes this lock first and numbers its changes with `change_counter`, so
    the changes of one patient are in commit order and no day is judged twice at the same time.
    """
    key = (work.clinic_id, patient_id)
    held: dict[tuple[UUID, UUID], Patient] = work.session.info.setdefault("locked_patients", {})
    if key in held:
        return held[key]
    planning.keep(work.session)
    found = work.session.execute(_LOCKED, {"clinic": work.clinic_id, "patient": patient_id}).first()
    if found is None:
        raise NotFound("patient")
    patient, day_start, language, armed_at, version, values = found
    ground_rules.keep(work, (day_start, language, armed_at, version, values))
    for read in (DELIVERED, CANCELLED):
        work.session.info.pop(read, None)  # what was read before the lock may have changed
    if not work.session.in_nested_transaction():  # whose end may take the lock along
        held[key] = patient
    return patient


def stays(work: Work, patient_id: UUID) -> bool:
    """Return whether the patient is here and not about to be erased, and let nobody begin that meanwhile.

    What is written about a patient without their lock asks for this first: it would be left behind.
    """
    return bool(staying(work, [patient_id]))


def staying(work: Work, patient_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of several patients those are."""
    return {found for (found,) in work.rows(_STAYING, patients=tuple(patient_ids))}


def forget(work: Work) -> None:
    """Let locked patients be read anew, because the session let go of its objects. The locks stay."""
    work.session.info.pop("locked_patients", None)


def due_to_close(work: Work, limit: int) -> list[Patient]:
    """Return patients of the clinic whose local day has ended, longest ago first."""
    return list(work.objects(_DUE_TO_CLOSE, now=work.now, limit=limit))


def take_to_close(work: Work, ids: Sequence[UUID]) -> Sequence[Patient]:
    """Lock those of some patients whose day has ended, but for whom another worker has, or had first."""
    return work.objects(_TAKEN_TO_CLOSE, ids=ids, now=work.now)


def close_day(work: Work, patient: Patient, day: date) -> None:
    """Say that ``day`` is done with: the next one ends a civil day later."""
    patient.next_close_at = local_days.end(work, day + timedelta(days=1), patient.zone)
    patient.set_aside_at = None


def put_off_close(work: Work, patient_id: UUID, until: datetime) -> None:
    """Set a patient aside until ``until``, so that one that can't be judged never holds up the others."""
    work.session.execute(
        update(Patient)
        .where(Patient.clinic_id == work.clinic_id, Patient.id == patient_id)
        .values(next_close_at=until, set_aside_at=work.now)
    )


def set_aside(work: Work) -> int:
    """Return how many patients of the clinic could not be judged when their day was last closed."""
    query = select(func.count()).where(*_ASIDE, Patient.clinic_id == work.clinic_id)
    return work.session.scalar(query) or 0


def is_paused(patient: Patient, now: datetime) -> bool:
    """Return whether the patient asked not to be reminded now."""
    return patient.paused_until is not None and patient.paused_until > now


def _pause_end(patient: Patient, asked: datetime | None, now: datetime) -> datetime | None:
    """Return until when the patient is paused: a pause that is ended (None) ends now, and that is kept."""
    if asked is not None or patient.paused_until is None:
        return asked
    # Without it nobody would know that the days before were none to log on, and they would count as missed.
    return min(patient.paused_until, now)


def _rename_account(work: Work, patient: Patient) -> None:
    # Who a record says acted is called as they are called now: a name may be one that nobody is to read.
    mine = (Account.clinic_id == work.clinic_id, Account.patient_id == patient.id)
    work.session.execute(update(Account).where(*mine).values(name=patient.name))


def _check_clinician(work: Work, clinician_id: UUID | None) -> None:
    if clinician_id is None:
        return
    account = work.session.get(Account, (work.clinic_id, clinician_id))
    if account is None or account.role is not Role.CLINICIAN or account.disabled_at is not None:
        raise Invalid("/clinician_id", "There is no such clinician.")
