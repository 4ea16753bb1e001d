"""Seal texts on their way into the database and open them on their way out.

A clinic's keys lie in the database (`services.clinic_key`), wrapped by the master key, which came with the
transaction (`Database(url, masters)`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Table

from server.keys.sealing import Keyring
from server.models import Base
from server.models.sealed import Sealed, place_of, row_of, sealed_columns
from server.services.clinic_key import add_key as add_key
from server.services.clinic_key import check as check
from server.services.clinic_key import keyring as keyring
from server.services.clinic_key import keyrings
from server.services.clinic_key import rewrap as rewrap
from server.services.work import Work

R = TypeVar("R", bound=Base)
Key = tuple[Any, ...]


def seal(work: Work, model: type[Base], key: Key, name: str, value: Any) -> bytes | None:
    """Return ``value`` sealed for column ``name`` of the row ``key`` of ``model``; None stays None.

    ``key`` is the row's primary key in the order of its columns.
    """
    if value is None:
        return None
    column: Sealed = vars(model)[name]
    return keyring(work).seal(column.dumped(value), place_of(_table(model), name, key))


def sealed(work: Work, model: type[Base], key: Key, values: Mapping[str, Any]) -> dict[str, bytes | None]:
    """Return the columns of row ``key`` that hold ``values`` (by name), each as `seal` would seal it."""
    columns, place, keys = vars(model), row_of(key), keyring(work)
    begin = _table(model).name
    found: dict[str, bytes | None] = {}
    for name, value in values.items():
        column: Sealed = columns[name]
        text = None if value is None else column.dumped(value)
        found[column.column] = None if text is None else keys.seal(text, f"{begin}.{name}.{place}")
    return found


def known(row: Base, values: Mapping[str, Any]) -> None:
    """Leave ``values``, which were just sealed into ``row``, opened there."""
    for name, value in values.items():
        if value is not None:
            vars(type(row))[name].keep(row, value)


def put(work: Work, row: Base, name: str, value: Any) -> None:
    """Seal ``value`` into a row that has its key already, and leave it opened there."""
    column: Sealed = vars(type(row))[name]
    setattr(row, column.column, seal(work, type(row), _key_of(row), name, value))
    opened(work, [row])


def opened(work: Work, rows: Sequence[R]) -> Sequence[R]:
    """Open every sealed column of ``rows`` and return them; raises SealError where one does not open."""
    for row in rows:
        _open(work, row)
    return rows


def opened_value(work: Work, model: type[Base], key: Key, name: str, sealed: bytes | None) -> Any:
    """Return what `seal` sealed, for a column that was read without its row; raises SealError."""
    column: Sealed = vars(model)[name]
    if sealed is None:
        return column.empty()
    return column.loaded(_text(work, sealed, place_of(_table(model), name, key)))


def opened_values(
    work: Work, model: type[Base], key: Key, values: Mapping[str, bytes | None]
) -> dict[str, Any]:
    """Return what `seal` sealed, by name, for columns of row ``key`` that were read without it."""
    (found,) = opened_page(work, model, [key], [values])
    return found


def opened_page(
    work: Work, model: type[Base], keys: Sequence[Key], rows: Sequence[Mapping[str, bytes | None]]
) -> list[dict[str, Any]]:
    """Return the same of many rows, each with its key and the same columns."""
    columns, begin, opener = vars(model), _table(model).name, _Opener(work)
    found = []
    for key, values in zip(keys, rows, strict=True):
        place = row_of(key)
        found.append(
            {
                name: columns[name].empty()
                if sealed is None
                else columns[name].loaded(opener.text(sealed, f"{begin}.{name}.{place}"))
                for name, sealed in values.items()
            }
        )
    return found


def digest(work: Work, model: type[Base], key: Key, text: str) -> str:
    """Return a keyed digest of ``text`` for one row: equal texts of a row agree, nobody can guess them."""
    return keyring(work).digest(text, place_of(_table(model), "digest", key))


def _open(work: Work, row: Base) -> None:
    for column in sealed_columns(type(row)):
        sealed = column.sealed_in(row)
        if sealed is not None:
            text = _text(work, sealed, place_of(_table(type(row)), column.name, _key_of(row)))
            column.keep(row, column.loaded(text))


class _Opener:
    """Opens values of one clinic: looking its keys up for each of a page costs as much as opening it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._keys: Keyring | None = None

    def text(self, sealed: bytes, place: str) -> str:
        """Return the text sealed for ``place``; raises SealError."""
        keys = self._keys = self._keys or keyring(self._work)
        if not keys.has_key_of(sealed):
            # Another process has added a key since this one looked.
            keyrings(self._work.session).forget(self._work.clinic_id)
            keys = self._keys = keyring(self._work)
        return keys.open(sealed, place)


def _text(work: Work, sealed: bytes, place: str) -> str:
    return _Opener(work).text(sealed, place)


def _key_of(row: Base) -> Key:
    return tuple(getattr(row, column.key) for column in _table(type(row)).primary_key)


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)
