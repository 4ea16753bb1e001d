"""A page of diary entries as lines of JSON text: read, opened where something is sealed, and passed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select

from server.models import Entry
from server.models.sealed import sealed_columns
from server.models.spelled import spelled, value_of
from server.services import vault
from server.services.asking import of_patient
from server.services.work import Work

# Whose they are is known, and the rest is not for people.
_UNTOLD = {"clinic_id", "patient_id", "day_reliable", "content_hash", "sequence", "deleted_at"}
_SEALED = sealed_columns(Entry)
_SPELLED = [
    column
    for column in Entry.__table__.columns
    if column.key not in _UNTOLD.union(one.column for one in _SEALED)
]
# What a line tells, in this order: columns that are spelled already, and what was sealed, opened.
NAMES = tuple(column.key for column in _SPELLED)
OPENED = tuple(column.name for column in _SEALED)
_COLUMNS = (*_SPELLED, *(Entry.__table__.columns[one.column] for one in _SEALED))
_ID, _RECEIVED, _DAY = map(NAMES.index, ("id", "received_at", "local_day"))
_ITEMS, _DETAILS = map(NAMES.index, ("items", "side_effect_details"))
_YEAR = timedelta(days=366)
# Of an entry with nothing sealed.
EMPTY = tuple(column.empty() for column in _SEALED)
_UNSEALED = (None,) * len(_SEALED)


@dataclass(frozen=True, slots=True)
class Range:
    """Which entries to read: days (both included), after which entry, how many."""

    first: date | None
    last: date | None
    after: UUID | None
    size: int

    def is_short(self, today: date) -> bool:
        """Return whether it begins on a day no more than a year before it ends, or before ``today``."""
        return self.first is not None and (self.last or today) - self.first <= _YEAR


class EntryLine:
    """One entry as it is read by people: the JSON text of each of `NAMES`, and the value of each of `OPENED`.

    A page of whole objects, each spelled anew, cost several times as much.
    """

    __slots__ = ("opened", "spelled")

    def __init__(self, spelled: Sequence[str], opened: Sequence[Any] = EMPTY) -> None:
        self.spelled, self.opened = spelled, opened

    @property
    def id(self) -> UUID:
        """The entry's id."""
        return UUID(self.spelled[_ID][1:-1])

    @property
    def received_at(self) -> datetime:
        """When this version came in."""
        return datetime.fromisoformat(self.spelled[_RECEIVED][1:-1])

    @property
    def local_day(self) -> date:
        """The patient's day."""
        return date.fromisoformat(self.spelled[_DAY][1:-1])

    @property
    def items(self) -> dict[str, float]:
        """What was said of the items."""
        found: dict[str, float] = value_of(self.spelled[_ITEMS])
        return found

    @property
    def side_effect_details(self) -> list[dict[str, Any]]:
        """What was worked out of the side effects."""
        found: list[dict[str, Any]] = value_of(self.spelled[_DETAILS])
        return found


def page(work: Work, patient_id: UUID, wanted: Range) -> Sequence[EntryLine]:
    """Return entries in the order of their ids (which is that of their making)."""
    bounds = {"first": wanted.first, "last": wanted.last, "after": wanted.after}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    query = _page(frozenset(given), wanted.is_short(work.now.date()))
    rows = work.rows(query, patient=patient_id, size=wanted.size, **given)
    # Spelled once: what is sealed is bound to its place, and that is text.
    owner = str(work.clinic_id), str(patient_id)
    return [_line(work, owner, row) for row in rows]


@cache
def _page(given: frozenset[str], is_short: bool) -> Select[*tuple[Any, ...]]:
    """Return the question for a page with the bounds that are ``given``."""
    bounds = {
        "first": Entry.local_day >= bindparam("first"),
        "last": Entry.local_day <= bindparam("last"),
        "after": Entry.id > bindparam("after"),
    }
    wanted = (bound for name, bound in bounds.items() if name in given)
    query = select(*map(spelled, _COLUMNS)).where(*of_patient(Entry), Entry.deleted_at.is_(None), *wanted)
    # In the order of an index PostgreSQL goes through all years of a patient, to be spared putting a few days
    # in order. What it has to work out is in no index: then they are found by their days.
    order = func.coalesce(Entry.id, Entry.id) if is_short else Entry.id
    return query.order_by(order).limit(bindparam("size"))


def _line(work: Work, owner: vault.Key, row: Sequence[Any]) -> EntryLine:
    """Return one row as a line; ``owner`` begins its key."""
    told, sealed = row[: len(NAMES)], row[len(NAMES) :]
    if sealed == _UNSEALED:
        return EntryLine(told)
    key = (*owner, told[_ID][1:-1])
    opened = vault.opened_values(work, Entry, key, dict(zip(OPENED, sealed, strict=True)))
    return EntryLine(told, tuple(opened.values()))
