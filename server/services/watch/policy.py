"""A clinic's thresholds: read what is in force, draft others, switch a draft on; what one patient has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from server.clinical.policy import THRESHOLDS, Policy, PolicyError, Threshold, for_patient, policy_from
from server.clinical.vocabulary import PolicyState
from server.models import Patient, PatientPolicy, PolicyActivation, PolicyVersion
from server.services import vault
from server.services.errors import AllInvalid, Conflict, NotFound, pointer_step
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.watch import ground_rules
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version with where it stands. Who made it and who switched it on are names, None for the system."""

    row: PolicyVersion
    state: PolicyState
    activation: PolicyActivation | None
    created_by: str | None
    activated_by: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One threshold as it is: ``overridden`` where it is not the value it would have otherwise."""

    threshold: Threshold
    value: float
    overridden: bool


def of_patient(work: Work, patient: Patient) -> Policy:
    """Return the policy that one patient is judged by: defaults, then the clinic's, then their own values.

    One and the same all through a transaction, unless it is changed there.
    """
    policy = clinics.policy(work)
    if not patient.policy_version:
        return policy
    known = work.session.info.setdefault("patient_policies", {})
    key = (patient.id, policy.version, patient.policy_version)
    if key not in known:
        own = work.session.get_one(PatientPolicy, (work.clinic_id, patient.id, patient.policy_version))
        known[key] = for_patient(policy, own.version, own.values, kept=True)
    found: Policy = known[key]
    return found


def settings(policy: Policy, overridden: Mapping[str, float]) -> Sequence[Setting]:
    """Return every threshold with its value under ``policy``, in the order of the table."""
    return [Setting(row, policy[key], key in overridden) for key, row in THRESHOLDS.items()]


def get(work: Work, version: int) -> KnownVersion:
    """Return one version of the actor's clinic, or raise NotFound."""
    return _known(work, [_row(work, version)])[0]


def in_force(work: Work) -> KnownVersion:
    """Return the version in force."""
    return get(work, clinics.get(work).policy_version)


def page(work: Work, before: int | None, size: int) -> Sequence[KnownVersion]:
    """Return up to ``size`` versions, newest first, that are older than ``before``."""
    query = select(PolicyVersion).where(PolicyVersion.clinic_id == work.clinic_id)
    if before is not None:
        query = query.where(PolicyVersion.version < before)
    rows = work.session.scalars(query.order_by(PolicyVersion.version.desc()).limit(size))
    return _known(work, vault.opened(work, rows.all()))


def draft(work: Work, values: Mapping[str, float], reason: str) -> KnownVersion:
    """Keep ``values`` as a new version: all that is to differ from the defaults. It is not in force yet.

    Raises AllInvalid naming every value that can't be taken.
    """
    clinics.lock(work)
    newest = work.session.scalar(
        select(func.max(PolicyVersion.version)).where(PolicyVersion.clinic_id == work.clinic_id)
    )
    version = (newest or 0) + 1
    checked(version, values)
    row = PolicyVersion(
        clinic_id=work.clinic_id,
        version=version,
        values=dict(values),
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    vault.put(work, row, "reason", reason)
    work.session.add(row)
    work.session.flush()
    work.audit("policy.draft", object_id=str(version))
    return get(work, version)


def checked(version: int, values: Mapping[str, float]) -> Policy:
    """Return the defaults with ``values`` over them; raises AllInvalid with a pointer for each problem."""
    try:
        return policy_from(version, values)
    except PolicyError as error:
        raise refused(error, values) from None


def refused(error: PolicyError, values: Mapping[str, float]) -> AllInvalid:
    """Return ``error`` as an answer whose pointers lead to the members of ``values`` in a body."""
    found = [
        (f"/values{pointer_step(key)}", str(one) if one.other else one.detail)
        for one in error.found
        for key in ({one.key, one.other} & values.keys() or {one.key} if one.other else {one.key})
    ]
    return AllInvalid(sorted(found))


def activate(work: Work, version: int, reason: str | None, expected: int | None) -> KnownVersion:
    """Put a draft in force. What was judged before keeps its judgement.

    Raises NotFound; Conflict where another version than ``expected`` is in force, where a newer one
    was switched on already (versions in force only rise, so that the newest judgement is always the
    one of the newest policy), or where some patient's own values contradict it. Again is harmless.
    """
    clinic = clinics.lock(work)
    row = _row(work, version)
    if version == clinic.policy_version:
        return get(work, version)
    if expected is not None and expected != clinic.policy_version:
        raise Conflict("policy-changed", f"Version {clinic.policy_version} is in force by now.")
    if version < clinic.policy_version:
        raise Conflict("policy-replaced", "A newer version was switched on. Draft the old values anew.")
    check_patients(work, checked(version, row.values))
    clinic.policy_version = version
    switched_on = PolicyActivation(
        clinic_id=work.clinic_id,
        version=version,
        activated_at=work.now,
        activated_by=work.actor.account_id,
    )
    vault.put(work, switched_on, "reason", reason)
    work.session.add(switched_on)
    work.session.flush()
    ground_rules.forget(work)
    work.audit("policy.activate", object_id=str(version))
    return get(work, version)


def overrides(work: Work) -> Mapping[UUID, PatientPolicy]:
    """Return what is in force for single patients of the clinic, by patient. No reason is opened.

    Not of who is about to be erased: nobody could change it, and nothing is judged by it any more.
    """
    query = (
        select(PatientPolicy)
        .join(
            Patient,
            (Patient.clinic_id == PatientPolicy.clinic_id) & (Patient.id == PatientPolicy.patient_id),
        )
        .where(
            Patient.clinic_id == work.clinic_id,
            Patient.leaving_at.is_(None),
            Patient.policy_version == PatientPolicy.version,
        )
    )
    return {row.patient_id: row for row in work.session.scalars(query) if row.values}


def check_patients(work: Work, policy: Policy) -> None:
    """Raise Conflict where what some patients have of their own contradicts ``policy``."""
    wrong = [
        (patient_id, str(found))
        for patient_id, own in sorted(overrides(work).items())
        for found in _contradictions(policy, own)
    ]
    if wrong:
        errors = [{"detail": f"{detail}, for patient {patient_id}"} for patient_id, detail in wrong]
        found = Conflict("contradicts-patients", "What some patients have of their own contradicts it.")
        found.extra = {"errors": errors}
        raise found


def _contradictions(policy: Policy, own: PatientPolicy) -> Sequence[object]:
    try:
        for_patient(policy, own.version, own.values)
    except PolicyError as error:
        return error.found
    return ()


def _row(work: Work, version: int) -> PolicyVersion:
    row = work.session.get(PolicyVersion, (work.clinic_id, version))
    if row is None:
        raise NotFound("policy version")
    return vault.opened(work, [row])[0]


def _known(work: Work, rows: Sequence[PolicyVersion]) -> Sequence[KnownVersion]:
    query = select(PolicyActivation).where(
        PolicyActivation.clinic_id == work.clinic_id,
        PolicyActivation.version.in_([row.version for row in rows]),
    )
    activations = {one.version: one for one in vault.opened(work, work.session.scalars(query).all())}
    people = [*(row.created_by for row in rows), *(one.activated_by for one in activations.values())]
    names, current = accounts.names(work, people), clinics.get(work).policy_version
    found = []
    for row in rows:
        activation = activations.get(row.version)
        by = None if activation is None else names.get(activation.activated_by)
        state = _state(row.version, activation, current)
        found.append(KnownVersion(row, state, activation, names.get(row.created_by), by))
    return found


def _state(version: int, activation: PolicyActivation | None, current: int) -> PolicyState:
    if version == current:
        return PolicyState.IN_FORCE
    return PolicyState.DRAFT if activation is None else PolicyState.REPLACED


def since(known: KnownVersion) -> datetime | None:
    """Return when a version was switched on, None for one that never was."""
    return None if known.activation is None else known.activation.activated_at
