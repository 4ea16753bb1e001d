"""What a service needs around its verb: one transaction, the time, and who acts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple, cast
from uuid import UUID

from sqlalchemy import Row, Select, Table, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows
from uuid_utils.compat import uuid7

from server import isolation
from server.clinical.vocabulary import Role
from server.models import AuditEvent
from server.services.writing import write_rows

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
FORESEEN = "foreseen"
_INSERT_EVENT = insert(cast(Table, AuditEvent.__table__))


@dataclass(slots=True)
class Answer:
    """What waits for a question (`services.foresight`). ``rows``: None while it is still to travel.

    ``stay`` lets it not travel, for it is asked now.
    """

    rows: Sequence[Any] | None
    stay: Callable[[], None] = lambda: None

    def taken(self) -> Sequence[Any] | None:
        """Return the rows; None where it has not travelled, and does not."""
        if self.rows is None:
            self.stay()
        return self.rows


# Of one question: the answers that wait for it, by the values it is asked with.
Answers = dict[frozenset[tuple[str, Any]], Answer]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, inside which clinic. Jobs act for a clinic with no account and no role.

    ``authenticated_at``: when they last proved who they are. ``awaits_factor``: they may only add a second
    factor. ``scopes``: codes of what a system may do; None: what systems always could.
    """

    clinic_id: UUID
    account_id: UUID | None = None
    role: Role | None = None
    patient_id: UUID | None = None
    sign_in_id: UUID | None = None
    authenticated_at: datetime | None = None
    awaits_factor: bool = False
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction (`session`), the time it happens at (aware UTC), and its actor.

    Making one holds the transaction to the actor's clinic (`server.isolation`).
    """

    session: Session
    now: datetime
    actor: Actor

    def __post_init__(self) -> None:
        isolation.enter(self.session, self.actor.clinic_id)

    @property
    def clinic_id(self) -> UUID:
        """The clinic every query of this work is scoped to."""
        return self.actor.clinic_id

    def rows(self, query: TypedReturnsRows[*Ts], **values: Any) -> Sequence[Row[*Ts]]:
        """Return what ``query`` finds with ``values`` and the clinic's id for its parameters.

        For what is asked all the time: a query of columns, built once (`services.asking`). Building it
        anew, or asking for whole objects, costs several times what the answer does. As before any
        question, pending changes are written first. An answer that was foreseen is given once.
        """
        foreseen: Answers | None = self.session.info.get(FORESEEN, {}).get(query)
        answer = foreseen.pop(frozenset(values.items()), None) if foreseen else None
        if answer is not None and (rows := answer.taken()) is not None:
            return rows
        self.session.flush()
        return self.session.connection().execute(query, {"clinic": self.clinic_id, **values}).all()

    def objects(self, query: Select[T], **values: Any) -> Sequence[T]:
        """Return the whole objects that such a ``query`` finds, to be changed or shown."""
        return self.session.scalars(query, {"clinic": self.clinic_id, **values}).all()

    def value(self, query: Select[T], **values: Any) -> T | None:
        """Return the only column of the first row that such a ``query`` finds, or None."""
        return next((row[0] for row in self.rows(query, **values)), None)

    def audit(self, action: str, patient_id: UUID | None = None, object_id: UUID | str | None = None) -> None:
        """Record that the actor did ``action``, in the same transaction. Ids and verbs only."""
        self.audit_each(action, patient_id, [object_id])

    def audit_each(
        self, action: str, patient_id: UUID | None, object_ids: Iterable[UUID | str | None]
    ) -> None:
        """Record the same of each of ``object_ids`` (at least one)."""
        self.record([self.event(action, patient_id, object_id) for object_id in object_ids])

    def event(self, action: str, patient_id: UUID | None, object_id: UUID | str | None) -> dict[str, Any]:
        """Return the line that `audit` would record now, for who records many at a time (`record`)."""
        return audit_line(self.actor, self.now, action, patient_id, object_id)

    def record(self, events: Sequence[dict[str, Any]]) -> None:
        """Record at least one line, as `event` made them."""
        write_rows(self.session, _INSERT_EVENT, events)


def audit_line(
    who: Actor, now: datetime, action: str, patient_id: UUID | None, object_id: UUID | str | None = None
) -> dict[str, Any]:
    """Return the line of the audit log that says that ``who`` did ``action`` at ``now``."""
    return {
        "clinic_id": who.clinic_id,
        "id": uuid7(),
        "at": now,
        "account_id": who.account_id,
        "action": action,
        "patient_id": patient_id,
        "object_id": None if object_id is None else str(object_id),
    }


def system(clinic_id: UUID) -> Actor:
    """Return the actor of a job that works for ``clinic_id``."""
    return Actor(clinic_id)
