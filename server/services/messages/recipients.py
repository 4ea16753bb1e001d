"""Whom the targets of a step stand for, and who of them can be reached."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select

from server.clinical.coverage import Hearing
from server.clinical.rota import ACCOUNT, ADMINS, CLINICIANS, COORDINATORS, ON_CALL, OWN_CLINICIAN
from server.clinical.vocabulary import Role
from server.models import Account, Patient, Rota
from server.services.alerts import shift as shifts
from server.services.messages import contact_point as contact_points
from server.services.people import account as accounts
from server.services.work import Work

_ROLES: Mapping[str, Role] = MappingProxyType(
    {CLINICIANS: Role.CLINICIAN, COORDINATORS: Role.COORDINATOR, ADMINS: Role.CLINIC_ADMIN}
)
TEAM = frozenset(_ROLES.values())


def of_step(work: Work, step: Iterable[str], patient: Patient) -> list[Account]:
    """Return the working accounts that ``step`` tells of ``patient`` now, each once, in the step's order."""
    found = [account for target in step for account in _of_target(work, target, patient)]
    return list({account.id: account for account in found}.values())


def of_id(work: Work, account_id: UUID | None) -> list[Account]:
    """Return the working account of the staff of ``account_id``, nobody where there is none."""
    return list(accounts.colleagues(work, [] if account_id is None else [account_id]).values())


def hearing(work: Work, rota: Rota, start: datetime, end: datetime) -> Hearing:
    """Return who hears of an urgent alert at its first two levels from ``start`` until ``end``."""
    targets = {target for step in rota.steps[:2] for target in step}
    fixed = [one for target in targets for one in _of_target(work, target, None)]
    duties = shifts.duties(work, start, end) if ON_CALL in targets else ()
    staff = accounts.colleagues(work, {duty.account_id for duty in duties})
    fallback = of_id(work, rota.fallback_account_id)
    reachable = contact_points.reachable(work, [*fixed, *staff.values(), *fallback])
    always = any(account.id in reachable for account in fixed)
    return Hearing(
        always=always or (OWN_CLINICIAN in targets and _every_patient_has_a_clinician(work)),
        duties=tuple(d for d in duties if d.account_id in reachable) if ON_CALL in targets else None,
        unreachable=tuple(d for d in duties if d.account_id not in reachable),
        fallback=any(account.id in reachable for account in fallback),
    )


def _of_target(work: Work, target: str, patient: Patient | None) -> Sequence[Account]:
    """Return whom one target stands for now; without a patient nobody is their own clinician or on call."""
    if target in _ROLES:
        return accounts.recipients(work, {_ROLES[target]})
    if target.startswith(ACCOUNT):
        return of_id(work, UUID(target.removeprefix(ACCOUNT)))
    if patient is None:
        return []
    if target == OWN_CLINICIAN:
        return of_id(work, patient.clinician_id)
    ids = dict.fromkeys(duty.account_id for duty in shifts.duties_now(work))
    working = accounts.colleagues(work, ids)
    return [working[account_id] for account_id in ids if account_id in working]


def _every_patient_has_a_clinician(work: Work) -> bool:
    """Return whether there are patients, each with a clinician of their own who can be reached."""
    here = (Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_(None))
    ids = set(work.session.scalars(select(Patient.clinician_id).where(*here).distinct()))
    known = accounts.working(work, (one for one in ids if one is not None))
    return bool(ids) and ids == contact_points.reachable(work, known.values())
