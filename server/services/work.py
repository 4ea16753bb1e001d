"""What a service needs around its verb: one transaction, the time, and who acts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role
from server.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, inside which clinic. Jobs act for a clinic with no account and no role."""

    clinic_id: UUID
    account_id: UUID | None = None
    role: Role | None = None
    patient_id: UUID | None = None
    sign_in_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction (`session`), the time it happens at (aware UTC), and its actor."""

    session: Session
    now: datetime
    actor: Actor

    @property
    def clinic_id(self) -> UUID:
        """The clinic every query of this work is scoped to."""
        return self.actor.clinic_id

    def audit(self, action: str, patient_id: UUID | None = None, object_id: UUID | str | None = None) -> None:
        """Record that the actor did ``action``, in the same transaction. Ids and verbs only."""
        self.session.add(
            AuditEvent(
                clinic_id=self.actor.clinic_id,
                id=uuid7(),
                at=self.now,
                account_id=self.actor.account_id,
                action=action,
                patient_id=patient_id,
                object_id=None if object_id is None else str(object_id),
            )
        )


def system(clinic_id: UUID) -> Actor:
    """Return the actor of a job that works for ``clinic_id``."""
    return Actor(clinic_id)
