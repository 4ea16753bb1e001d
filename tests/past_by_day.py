"""A past written one service call after another, each in its own moment: what day by day leaves behind.

The yardstick for what writes many days at a time (`jobs.past`), and what is left of a database to compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from jobs.past import Past, ordered
from server.clinical.vocabulary import SessionStatus
from server.models import Base
from server.models.sealed import sealed_columns
from server.services import local_day as local_days
from server.services import vault
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.visits import visit as visits
from server.services.watch import assessment as assessments
from server.services.watch import silence as silences
from server.services.work import Work


def write_by_day(work: Work, past: Past) -> None:
    """Write ``past`` and close its days."""
    for step in ordered(past):
        at = step.content["occurred_at"] if isinstance(step, Incoming) else step
        then = replace(work, now=at.astimezone(UTC))
        close_days(then, past)
        if isinstance(step, Incoming):
            entries.put(then, past.patient_id, step)
        else:
            deliver(then, past, at)
    if past.until is not None:
        close_days(replace(work, now=past.until), past)


def close_days(work: Work, past: Past) -> None:
    """Close every day that has ended by now, each at its own end."""
    while taken := patients.take_to_close(work, [past.patient_id]):
        (patient,) = taken
        day, ended = local_days.ended(work, patient), replace(work, now=patient.next_close_at)
        if day not in past.days:
            assessments.judge(ended, patient, day)
        silences.check(ended, patient, day)
        patients.close_day(work, patient, day)
        work.session.flush()


def deliver(work: Work, past: Past, at: datetime) -> None:
    """Record a session, once a day."""
    day = local_days.of(work, at, past.zone)
    if day not in treatment_sessions.delivered_days(work, past.patient_id, day):
        values = {"course_id": past.course_id, "status": SessionStatus.DELIVERED, "at": at}
        visits.record(work, past.patient_id, values)


# Made before any past, partly by chance, and the same whichever way it is written.
_BEFORE = {
    "accounts",
    "clinic_digest_keys",
    "clinic_keys",
    "clinics",
    "policy_activations",
    "policy_versions",
}
Row = Mapping[str, Any]
Left = Mapping[str, Sequence[Row]]


def left_of(session: Session, work: Work) -> Left:
    """Return every row of the clinic, opened, with chance ids told as their number in their table."""
    every = (mapper.class_ for mapper in Base.registry.mappers if hasattr(mapper.class_, "clinic_id"))
    found = {table: _rows(session, work, table) for table in every}
    names = {
        str(row.id): f"{table.__tablename__} {number}"
        for table, rows in found.items()
        if hasattr(table, "id")
        for number, row in enumerate(sorted(rows, key=lambda one: str(one.id)))
    }
    return {
        table.__tablename__: [_told(row, names) for row in rows]
        for table, rows in found.items()
        if rows and table.__tablename__ not in _BEFORE
    }


def _rows(session: Session, work: Work, table: Any) -> Sequence[Any]:
    query = select(table).where(table.clinic_id == work.clinic_id)
    return list(vault.opened(work, session.scalars(query.order_by(*inspect(table).primary_key)).all()))


def _told(row: Any, names: Mapping[str, str]) -> Row:
    columns = {column.key: getattr(row, column.key) for column in inspect(type(row)).columns}
    opened = {column.name: getattr(row, column.name) for column in sealed_columns(type(row))}
    sealed = {column.column for column in sealed_columns(type(row))} | {"content_hash"}
    plain = {key: value for key, value in columns.items() if key not in sealed}
    return {key: _named(value, names) for key, value in {**plain, **opened}.items()}


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Return ``value`` with every chance id in it told by its number."""
    if isinstance(value, Mapping):
        return {key: _named(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if isinstance(value, UUID | str):
        text = str(value)
        for part in text.replace("|", ":").split(":"):
            text = text.replace(part, names[part]) if part in names else text
        return text
    return value
