"""Make and read clinics, and the policy in force."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server import isolation
from server.clinical.policy import Policy
from server.clinical.rota import DEFAULT_STEPS, DEFAULT_WEEK
from server.clinical.vocabulary import Language
from server.clinical.wall_clock import DAY_START
from server.models import Clinic, PolicyActivation, PolicyVersion, Rota
from server.services import local_day as local_days
from server.services import vault
from server.services.errors import Conflict, Invalid
from server.services.watch import ground_rules
from server.services.work import Work

# The clinic of whoever runs this service: jobs that go through clinics pass it by.
OPERATIONS = "operations"
_EVERY_ID = select(Clinic.id).where(Clinic.slug != OPERATIONS, Clinic.erased_at.is_(None)).order_by(Clinic.id)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")


def create(work: Work, **values: Any) -> Clinic:
    """Open a clinic with the default policy as its version 1, and the default rota, not armed.

    ``values``: slug, name, zone, country, and perhaps day_start (0-6). Raises Invalid, Conflict.
    """
    if values["slug"] == OPERATIONS:
        raise Conflict("slug-taken", "That short name is the service's own: its jobs pass it by.")
    return set_up(work, **values)


def set_up(work: Work, **values: Any) -> Clinic:
    """Open a clinic as `create` does, that of operations too."""
    if not _SLUG.fullmatch(values["slug"]):
        raise Invalid("/slug", "The short name must be 2-64 characters of a-z, 0-9 and -.")
    clinic = Clinic(
        id=work.clinic_id,
        asks_safety_question=True,
        policy_version=1,
        created_at=work.now,
        **{"day_start": DAY_START, "language": Language.EN, **values},
    )
    _open(work, clinic)
    vault.add_key(work)
    _start_with_defaults(work)
    work.audit("clinic.create", object_id=clinic.id)
    return clinic


def _open(work: Work, clinic: Clinic) -> None:
    # Not asked beforehand: who opens a clinic does not see the others.
    try:
        with work.session.begin_nested():
            work.session.add(clinic)
    except IntegrityError:
        raise Conflict("slug-taken", "There is a clinic with this short name already.") from None


def _start_with_defaults(work: Work) -> None:
    first = PolicyVersion(
        clinic_id=work.clinic_id,
        version=1,
        values={},
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    vault.put(work, first, "reason", "defaults")
    work.session.add(first)
    work.session.flush()
    switched_on = PolicyActivation(
        clinic_id=work.clinic_id, version=1, activated_at=work.now, activated_by=work.actor.account_id
    )
    work.session.add(switched_on)
    work.session.add(first_rota(work))


def first_rota(work: Work) -> Rota:
    """Return the rota a clinic starts with: office hours, everybody in three steps, not armed."""
    week = [[[at.isoformat("minutes") for at in span] for span in spans] for spans in DEFAULT_WEEK]
    steps = [list(step) for step in DEFAULT_STEPS]
    return Rota(clinic_id=work.clinic_id, hours=week, holidays=[], steps=steps, version=1)


def new_clinic_id() -> UUID:
    """Return a fresh id for a clinic."""
    return uuid7()


def every_id(session: Session) -> list[UUID]:
    """Return the ids of all clinics but that of operations: jobs work through them one at a time."""
    isolation.expect_all(session)
    return list(session.connection().scalars(_EVERY_ID))


def those(session: Session, holds: ColumnElement[bool]) -> list[UUID]:
    """Return those of `every_id` of which ``holds`` is true, which asks about `Clinic.id`."""
    isolation.expect_all(session)
    return list(session.scalars(_EVERY_ID.where(holds)))


def operations_id(session: Session) -> UUID | None:
    """Return the id of the clinic of operations, or None where it is not set up yet."""
    isolation.expect_all(session)
    return session.scalar(select(Clinic.id).where(Clinic.slug == OPERATIONS))


def is_operations(work: Work) -> bool:
    """Say whether the actor's clinic is that of operations: an alert there is a probe, about nobody."""
    return get(work).slug == OPERATIONS


def everyone(session: Session) -> list[Clinic]:
    """Return all clinics but closed ones, in the order they were opened."""
    isolation.expect_all(session)
    return list(session.scalars(select(Clinic).where(Clinic.erased_at.is_(None)).order_by(Clinic.id)))


def of_patients(session: Session) -> list[Clinic]:
    """Return all clinics but that of operations, whose patient is nobody, closed ones too."""
    return [clinic for clinic in ever(session) if clinic.slug != OPERATIONS]


def ever(session: Session) -> list[Clinic]:
    """Return all clinics, that of operations and closed ones too: what is on record there stays so."""
    isolation.expect_all(session)
    return list(session.scalars(select(Clinic).order_by(Clinic.id)))


def get(work: Work) -> Clinic:
    """Return the actor's clinic."""
    return work.session.get_one(Clinic, work.clinic_id)


def lock(work: Work) -> Clinic:
    """Return the actor's clinic with its row locked until the transaction ends."""
    # Not against writes that only name the clinic: a journal does so while we may wait for it.
    return work.session.get_one(Clinic, work.clinic_id, with_for_update={"key_share": True})


def by_slug(session: Session, slug: str) -> Clinic | None:
    """Return the clinic with this short name, or None. For one-shot work, which has no actor yet."""
    isolation.expect_all(session)
    return session.scalar(select(Clinic).where(Clinic.slug == slug))


def update(work: Work, changes: dict[str, Any]) -> Clinic:
    """Change what a clinic says of itself; another hour at which days start is for days to come."""
    clinic = lock(work)
    hour = changes.get("day_start", clinic.day_start)
    if hour != clinic.day_start:
        local_days.move_start(work, hour)
    for key, value in changes.items():
        setattr(clinic, key, value)
    work.session.info.pop("working_hours", None)
    work.audit("clinic.update", object_id=clinic.id)
    return clinic


def policy(work: Work) -> Policy:
    """Return the policy in force at the actor's clinic: one and the same all through a transaction.

    Whatever judges one patient asks `services.watch.policy.of_patient` instead.
    """
    return ground_rules.of(work).policy
