"""What the clinic's scheduling system calls our patients, clinicians, kinds of visit and rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from server.clinical.visit import MAINTENANCE_VISIT, Mapped
from server.clinical.vocabulary import MappingKind
from server.models import BookingSuggestion, Patient, SchedulingMapping
from server.services import vault
from server.services.errors import NotFound
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.visits import scheduling_connection as connections
from server.services.work import Work

# What holds for every clinician or room that has no line of its own.
ANY = "*"
_PEOPLE = (MappingKind.PATIENT, MappingKind.PROVIDER)


@dataclass(frozen=True, slots=True)
class Ours:
    """One thing of ours: the id of a patient or clinician, a kind of visit, or `*` for all others."""

    kind: MappingKind
    name: str

    @property
    def patient_id(self) -> UUID | None:
        """The patient it is, None for anything else."""
        return UUID(self.name) if self.kind is MappingKind.PATIENT else None


def listed(work: Work, connection_id: UUID, after: str | None, size: int) -> Sequence[SchedulingMapping]:
    """Return a connection's lines in the order of kind and our own name; ``after``: "kind:ours".

    That of a patient who leaves is not shown: it goes on to tell their system that no visit is offered.
    """
    connections.get(work, connection_id)
    order = (SchedulingMapping.kind, SchedulingMapping.ours)
    query = select(SchedulingMapping).where(
        SchedulingMapping.clinic_id == work.clinic_id, SchedulingMapping.connection_id == connection_id
    )
    leaving = set(work.session.scalars(patients.leaving(work)))
    found = work.session.scalars(query.order_by(*order))
    rows = [row for row in found if row.kind is not MappingKind.PATIENT or _as_id(row.ours) not in leaving]
    left = rows if after is None else [row for row in rows if f"{row.kind}:{row.ours}" > after]
    return vault.opened(work, left[:size])


def checked(work: Work, kind: str, ours: str) -> Ours:
    """Return what a path names; raises NotFound where there is no such thing at the clinic."""
    if kind not in list(MappingKind):
        raise NotFound("kind of mapping")
    named = _known(work, MappingKind(kind), ours)
    if named is None:
        raise NotFound(f"{kind.replace('_', ' ')} of ours")
    return named


def _known(work: Work, kind: MappingKind, ours: str) -> Ours | None:
    """Return it by the one name under which it is looked up, however its id is written; None for nothing."""
    if kind not in _PEOPLE or (kind, ours) == (MappingKind.PROVIDER, ANY):
        return Ours(kind, ours) if ours in (ANY, MAINTENANCE_VISIT) else None
    found = _as_id(ours)
    if found is None:
        return None
    is_patient = kind is MappingKind.PATIENT
    known = _is_here(work, found) if is_patient else found in accounts.colleagues(work, [found])
    return Ours(kind, str(found)) if known else None


def _is_here(work: Work, patient_id: UUID) -> bool:
    patient = work.session.get(Patient, (work.clinic_id, patient_id))
    return patient is not None and patient.leaving_at is None


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def put(work: Work, connection_id: UUID, named: Ours, theirs: str) -> SchedulingMapping:
    """Say what their system calls a thing of ours; again replaces it.

    Raises NotFound, also for a patient who is leaving.
    """
    connections.get(work, connection_id)
    if named.kind is MappingKind.PATIENT and not patients.stays(work, UUID(named.name)):
        raise NotFound("patient")
    key = (work.clinic_id, connection_id, named.kind, named.name)
    row = work.session.get(SchedulingMapping, key, with_for_update=True)
    if row is None:
        row = SchedulingMapping(
            clinic_id=work.clinic_id, connection_id=connection_id, kind=named.kind, ours=named.name
        )
    vault.put(work, row, "theirs", theirs)
    work.session.add(row)
    work.session.flush()
    before = (*_lines(work, connection_id, named), SchedulingMapping.ours != named.name)
    work.session.execute(delete(SchedulingMapping).where(*before))
    work.audit("scheduling-mapping.put", named.patient_id, connection_id)
    return row


def remove(work: Work, connection_id: UUID, named: Ours) -> None:
    """Take a line away; raises NotFound."""
    if _line(work, connection_id, named) is None:
        raise NotFound("mapping")
    work.session.execute(delete(SchedulingMapping).where(*_lines(work, connection_id, named)))
    work.audit("scheduling-mapping.delete", named.patient_id, connection_id)


def of_visit(work: Work, connection_id: UUID, suggestion: BookingSuggestion) -> Mapped:
    """Return what their system calls the parts of one visit; empty where nothing was said."""
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    return Mapped(
        patient=_theirs(work, connection_id, MappingKind.PATIENT, str(patient.id)),
        appointment_type=_theirs(work, connection_id, MappingKind.APPOINTMENT_TYPE, MAINTENANCE_VISIT, ANY),
        provider=_theirs(work, connection_id, MappingKind.PROVIDER, str(patient.clinician_id), ANY),
        room=_theirs(work, connection_id, MappingKind.ROOM, MAINTENANCE_VISIT, ANY),
    )


def _theirs(work: Work, connection_id: UUID, kind: MappingKind, *ours: str) -> str:
    for name in ours:
        row = _line(work, connection_id, Ours(kind, name))
        if row is not None:
            return str(vault.opened(work, [row])[0].theirs)
    return ""


def _line(work: Work, connection_id: UUID, named: Ours) -> SchedulingMapping | None:
    """Return the line of a thing of ours: an earlier version kept an id as it was written."""
    key = (work.clinic_id, connection_id, named.kind, named.name)
    row = work.session.get(SchedulingMapping, key)
    if row is None and _as_id(named.name) is not None:
        lines = select(SchedulingMapping).where(*_lines(work, connection_id, named))
        row = work.session.scalars(lines.order_by(SchedulingMapping.ours)).first()
    return row


def _lines(work: Work, connection_id: UUID, named: Ours) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for the lines of a thing of ours, however its id was written."""
    plain = func.replace(func.lower(SchedulingMapping.ours), "-", "")
    return (
        SchedulingMapping.clinic_id == work.clinic_id,
        SchedulingMapping.connection_id == connection_id,
        SchedulingMapping.kind == named.kind,
        plain == named.name.lower().replace("-", ""),
    )
