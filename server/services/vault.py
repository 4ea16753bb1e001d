"""Seal texts on their way into the database and open them on their way out.

A clinic's data keys lie in the database, wrapped by the master key, which came with the transaction
(`Database(url, masters)`). A key that was unwrapped once is remembered for as long as the process runs.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from server.models import Base, ClinicKey
from server.models.sealed import Sealed, place_of, sealed_columns
from server.sealing import Keyring, SealError, key_id_of, new_key
from server.services.work import Work

R = TypeVar("R", bound=Base)
Key = tuple[Any, ...]


def add_key(work: Work) -> ClinicKey:
    """Give the actor's clinic a fresh data key: the ones before still open.

    Other processes go on sealing with the one before until they meet a value sealed with the new one.
    """
    known = work.session.scalars(select(ClinicKey.key_id).where(ClinicKey.clinic_id == work.clinic_id))
    number = max(known, default=0) + 1
    row = ClinicKey(clinic_id=work.clinic_id, key_id=number, created_at=work.now)
    row.wrapped = _masters(work.session).seal(b64encode(new_key()).decode(), _wrapping_place(row))
    work.session.add(row)
    work.session.flush()
    _keyrings(work.session).pop(work.clinic_id, None)
    # Until this commits, nobody else may seal with the new key: rolled back, it would open nothing.
    work.session.info["clinic_keyrings"] = {}
    work.audit("clinic-key.create", object_id=str(number))
    return row


def seal(work: Work, model: type[Base], key: Key, name: str, value: Any) -> bytes | None:
    """Return ``value`` sealed for column ``name`` of the row ``key`` of ``model``; None stays None.

    ``key`` is the row's primary key in the order of its columns.
    """
    if value is None:
        return None
    column: Sealed = vars(model)[name]
    return keyring(work).seal(column.dumped(value), place_of(_table(model), name, key))


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


def digest(work: Work, model: type[Base], key: Key, text: str) -> str:
    """Return a keyed digest of ``text`` for one row: equal texts of a row agree, nobody can guess them."""
    return keyring(work).digest(text, place_of(_table(model), "digest", key))


def keyring(work: Work) -> Keyring:
    """Return the data keys of the actor's clinic; raises SealError where it has none that opens."""
    known = _keyrings(work.session)
    if work.clinic_id not in known:
        known[work.clinic_id] = _unwrapped(work.session, work.clinic_id)
    return known[work.clinic_id]


def rewrap(work: Work) -> int:
    """Wrap the clinic's data keys with the current master key; return how many were under an older one.

    The data keys stay the same, so whoever has them opened goes on with them.
    """
    masters = _masters(work.session)
    query = select(ClinicKey).where(ClinicKey.clinic_id == work.clinic_id).with_for_update()
    older = [row for row in work.session.scalars(query) if key_id_of(row.wrapped) != masters.current]
    for row in older:
        place = _wrapping_place(row)
        row.wrapped = masters.seal(masters.open(row.wrapped, place), place)
    if older:
        work.audit("clinic-key.rewrap", object_id=str(len(older)))
    work.session.flush()
    return len(older)


def check(session: Session) -> None:
    """Raise SealError where the master keys do not open every clinic's keys."""
    masters = _masters(session) if (rows := list(session.scalars(select(ClinicKey)))) else None
    for row in rows:
        assert masters is not None
        masters.open(row.wrapped, _wrapping_place(row))


def _open(work: Work, row: Base) -> None:
    for column in sealed_columns(type(row)):
        sealed = column.sealed_in(row)
        if sealed is not None:
            column.keep(row, _text(work, sealed, place_of(_table(type(row)), column.name, _key_of(row))))


def _text(work: Work, sealed: bytes, place: str) -> str:
    if key_id_of(sealed) not in keyring(work).ids:
        # Another process has added a key since this one looked.
        _keyrings(work.session).pop(work.clinic_id, None)
    return keyring(work).open(sealed, place)


def _unwrapped(session: Session, clinic_id: UUID) -> Keyring:
    rows = list(session.scalars(select(ClinicKey).where(ClinicKey.clinic_id == clinic_id)))
    if not rows:
        raise SealError("the clinic has no key")
    masters = _masters(session)
    keys = {row.key_id: b64decode(masters.open(row.wrapped, _wrapping_place(row))) for row in rows}
    return Keyring(keys, max(keys))


def _wrapping_place(row: ClinicKey) -> str:
    return place_of(_table(ClinicKey), "wrapped", (row.clinic_id, row.key_id))


def _masters(session: Session) -> Keyring:
    found = session.info.get("masters")
    if not isinstance(found, Keyring):
        raise SealError("this database was opened without a master key")
    return found


def _keyrings(session: Session) -> dict[UUID, Keyring]:
    return cast(dict[UUID, Keyring], session.info.setdefault("clinic_keyrings", {}))


def _key_of(row: Base) -> Key:
    return tuple(getattr(row, column.key) for column in _table(type(row)).primary_key)


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)
