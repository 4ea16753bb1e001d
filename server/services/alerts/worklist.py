"""The worklist: a page of alerts as the care team reads them, most urgent first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, select, tuple_

from server.clinical.vocabulary import AlertClass, AlertState
from server.models import UNRESOLVED, Alert
from server.services import vault
from server.services.alerts.alert import readable
from server.services.work import Work

# What a list tells of an alert: its evidence is for whoever opens it.
_SEALED = {"codes": "sealed_codes", "summary": "sealed_summary", "resolution_note": "sealed_resolution_note"}
_UNTOLD = {"clinic_id", "sealed_evidence"}
_SHOWN = {column.key: column for column in cast(Table, Alert.__table__).columns if column.key not in _UNTOLD}
_ORDER = Alert.urgency, Alert.opened_at, Alert.id


class ShownAlert(SimpleNamespace):
    """An alert as it stands in the list: the columns of `Alert` that are told, and what was sealed, opened.

    A page of whole objects, each with its evidence and watched for changes, cost more than twice as much.
    """


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the list of alerts a page ended: the order is urgency, then age, then id."""

    urgency: AlertClass
    opened_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts to read. ``state`` None: those not resolved. ``after`` None: from the start.

    ``equal`` narrows by columns of the alert: urgency, family, patient_id, assigned_to, snoozed.
    """

    state: AlertState | None
    after: Place | None
    size: int
    equal: Mapping[str, Any] = field(default_factory=dict)
    exhausted: bool | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What makes one question differ from another, but for values."""

    state: AlertState | None
    equal: frozenset[str]
    exhausted: bool | None
    goes_on: bool


def page(work: Work, wanted: Wanted) -> Sequence[ShownAlert]:
    """Return alerts, most urgent first, the oldest of the same urgency first."""
    after = wanted.after
    kind = _Kind(wanted.state, frozenset(wanted.equal), wanted.exhausted, after is not None)
    place = (
        {} if after is None else dict(zip(_PLACE, (after.urgency, after.opened_at, after.id), strict=True))
    )
    rows = work.rows(_page(kind), size=wanted.size, **place, **wanted.equal)
    columns = [dict(zip(_SHOWN, row, strict=True)) for row in rows]
    sealed = [{name: row.pop(column) for name, column in _SEALED.items()} for row in columns]
    keys = [(work.clinic_id, row["id"]) for row in columns]
    opened = vault.opened_page(work, Alert, keys, sealed)
    return [ShownAlert(**row, **said) for row, said in zip(columns, opened, strict=True)]


_PLACE = {"after_urgency": Alert.urgency, "after_opened_at": Alert.opened_at, "after_id": Alert.id}


@cache
def _page(kind: _Kind) -> Select[*tuple[Any, ...]]:
    """Return the question for a page of this kind."""
    query = select(*_SHOWN.values()).where(Alert.clinic_id == bindparam("clinic"), *_narrowed(kind))
    if kind.goes_on:
        place = (bindparam(name, type_=column.type) for name, column in _PLACE.items())
        query = query.where(tuple_(*_ORDER) > tuple_(*place))
    return query.order_by(*_ORDER).limit(bindparam("size"))


def _narrowed(kind: _Kind) -> Iterator[ColumnElement[bool]]:
    yield readable()
    if kind.state is not AlertState.RESOLVED:
        yield UNRESOLVED
    if kind.state is not None:
        yield Alert.state == kind.state
    for name in sorted(kind.equal):
        yield getattr(Alert, name) == bindparam(name)
    if kind.exhausted is not None:
        yield Alert.exhausted_at.is_not(None) if kind.exhausted else Alert.exhausted_at.is_(None)
