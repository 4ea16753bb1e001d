"""What is otherwise for one patient than for the clinic, with the reason why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from server.clinical.policy import PolicyError, for_patient
from server.models import Patient, PatientPolicy
from server.services import vault
from server.services.errors import Conflict
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.watch import policy as policies
from server.services.watch.policy import Setting
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """What a patient is judged by. ``own``: their own values, None where there never were any."""

    clinic_version: int
    patient_version: int
    own: PatientPolicy | None
    created_by: str | None
    settings: Sequence[Setting]


def read(work: Work, patient_id: UUID) -> EffectivePolicy:
    """Return the policy a patient is judged by. Audited. Raises NotFound."""
    patient = patients.get(work, patient_id)
    work.audit("patient-policy.read", patient_id)
    return _effective(work, patient)


def put(
    work: Work, patient_id: UUID, values: Mapping[str, float], reason: str, expected: int | None
) -> EffectivePolicy:
    """Let ``values``, and nothing else, be otherwise for this patient from now on.

    Raises NotFound; Conflict where another version than ``expected`` (0: none) holds; AllInvalid
    naming every value that can't be taken, also where it contradicts the clinic's policy.
    """
    patient = _writable(work, patient_id)
    if expected is not None and expected != patient.policy_version:
        raise Conflict("policy-changed", f"Version {patient.policy_version} holds by now.")
    try:
        for_patient(clinics.policy(work), patient.policy_version + 1, values)
    except PolicyError as error:
        raise policies.refused(error, values) from None
    _store(work, patient, values, reason)
    work.audit("patient-policy.put", patient_id, str(patient.policy_version))
    return _effective(work, patient)


def remove(work: Work, patient_id: UUID) -> None:
    """Let everything be as for everybody again. Again is harmless. Raises NotFound."""
    patient = _writable(work, patient_id)
    own = _own(work, patient)
    if own is not None and own.values:
        _store(work, patient, {}, None)
        work.audit("patient-policy.remove", patient_id, str(patient.policy_version))


def _writable(work: Work, patient_id: UUID) -> Patient:
    patients.get(work, patient_id)
    # A clinic's policy is switched on under the same lock: the two are never laid over each other unseen.
    clinics.lock(work)
    return patients.lock(work, patient_id)


def _store(work: Work, patient: Patient, values: Mapping[str, float], reason: str | None) -> None:
    patient.policy_version += 1
    row = PatientPolicy(
        clinic_id=work.clinic_id,
        patient_id=patient.id,
        version=patient.policy_version,
        values=dict(values),
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    vault.put(work, row, "reason", reason)
    work.session.add(row)
    work.session.flush()


def _own(work: Work, patient: Patient) -> PatientPolicy | None:
    if not patient.policy_version:
        return None
    row = work.session.get_one(PatientPolicy, (work.clinic_id, patient.id, patient.policy_version))
    return vault.opened(work, [row])[0]


def _effective(work: Work, patient: Patient) -> EffectivePolicy:
    own, policy = _own(work, patient), policies.of_patient(work, patient)
    return EffectivePolicy(
        clinic_version=policy.version,
        patient_version=policy.patient_version,
        own=own,
        created_by=None if own is None else accounts.names(work, [own.created_by]).get(own.created_by),
        settings=policies.settings(policy, {} if own is None else own.values),
    )
