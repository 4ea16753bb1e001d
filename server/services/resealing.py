"""Seal anew, with a clinic's newest key, what older ones sealed: a few rows at a time, beside everybody else.

What is done is known from the values themselves, which name their key, so a run that was cut off goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Row,
    Select,
    Table,
    func,
    literal,
    select,
    tuple_,
    update,
)

from server.keys.sealing import Keyring, SealError, key_mark
from server.models import Base
from server.models.sealed import place_of, sealed_columns
from server.services import clinic_key as clinic_keys
from server.services.work import Work

BATCH = 50


@dataclass(frozen=True, slots=True)
class Spot:
    """One sealed column: ``name`` is what it is bound to, ``column`` where it lies."""

    table: Table
    name: str
    column: str

    @property
    def key(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of the primary key, the clinic's first."""
        return tuple(self.table.primary_key)


@dataclass(frozen=True, slots=True)
class Step:
    """How far one column is: ``after`` is the key of the last row looked at, None where all were."""

    after: tuple[Any, ...] | None
    sealed: int
    unreadable: int


def spots() -> Iterator[Spot]:
    """Yield every sealed column there is."""
    for mapper in sorted(Base.registry.mappers, key=lambda one: one.class_.__name__):
        table = cast(Table, mapper.local_table)
        yield from (Spot(table, one.name, one.column) for one in sealed_columns(cast(type, mapper.class_)))


def older(
    work: Work, spot: Spot, after: tuple[Any, ...] | None = None, size: int = BATCH
) -> Sequence[Row[Any]]:
    """Return up to ``size`` rows of one column, behind the row ``after``, that an older key has sealed.

    To be asked while nobody waits to write: mostly there are none, and all of years is looked through.
    """
    return work.session.execute(_older(work, spot, after).limit(size)).all()


def reseal(work: Work, spot: Spot, found: Sequence[Row[Any]], size: int = BATCH) -> Step:
    """Seal the values of ``found``, of which `older` was asked up to ``size``, with the newest key.

    A value that somebody else wrote meanwhile stays theirs. One that does not open stays as it is, and
    is counted.
    """
    keyring = _with_newest(work)
    done = [_anew(work, spot, row, keyring) for row in found]
    last = tuple(found[-1])[:-1] if len(found) == size else None
    return Step(last, done.count(True), done.count(None))


def left(work: Work) -> int:
    """Return how many values of the clinic are not under its newest key."""
    return sum(_count(work, spot) for spot in spots())


def _count(work: Work, spot: Spot) -> int:
    waiting = _older(work, spot, None).order_by(None).subquery()
    return work.session.scalar(select(func.count()).select_from(waiting)) or 0


def _older(work: Work, spot: Spot, after: tuple[Any, ...] | None) -> Select[Any]:
    """Ask for rows whose value another key than the newest has sealed, in the order of their keys."""
    column, newest = spot.table.c[spot.column], key_mark(clinic_keys.current(work))
    query = select(*spot.key, column).where(
        spot.table.c.clinic_id == work.clinic_id,
        column.is_not(None),
        func.substr(column, 1, len(newest)) != newest,
    )
    if after is not None:
        bound = [literal(value, part.type) for value, part in zip(after, spot.key, strict=True)]
        query = query.where(tuple_(*spot.key) > tuple_(*bound))
    return query.order_by(*spot.key)


def _anew(work: Work, spot: Spot, row: Row[Any], keyring: Keyring) -> bool | None:
    """Return whether the value was sealed anew; None where it does not open."""
    key, sealed = tuple(row)[:-1], row[-1]
    place = place_of(spot.table, spot.name, key)
    try:
        fresh = keyring.seal(keyring.open(sealed, place), place)
    except SealError:
        return None
    is_it = [part == value for part, value in zip(spot.key, key, strict=True)]
    column = spot.table.c[spot.column]
    changed = work.session.execute(update(spot.table).where(*is_it, column == sealed).values({column: fresh}))
    return cast("CursorResult[Any]", changed).rowcount == 1


def _with_newest(work: Work) -> Keyring:
    """Return the clinic's keyring, the newest key in it: this process may have looked before it was made."""
    if clinic_keys.keyring(work).current != clinic_keys.current(work):
        clinic_keys.keyrings(work.session).forget(work.clinic_id)
    return clinic_keys.keyring(work)
