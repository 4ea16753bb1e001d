"""A clinic's keys: those that seal, and those that make digests. All lie wrapped by the master key.

A key that was unwrapped once is remembered by its process for less than a minute (`server.keys.keyrings`).
"""

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from server.keys.keyrings import Keyrings
from server.keys.masters import Masters
from server.keys.sealing import DigestKeys, Keyring, SealError, digest_key, key_id_of, new_key
from server.models import ClinicDigestKey, ClinicKey
from server.models.sealed import place_of
from server.services import asking
from server.services.errors import Conflict
from server.services.work import Work

AnyKey = ClinicKey | ClinicDigestKey
CONTENT, LOOKUP = "content", "lookup"
# Whoever writes may hold a keyring for a minute and a transaction for longer: only then is a key out of use.
SETTLES = timedelta(hours=1)


def add_key(work: Work) -> ClinicKey:
    """Give the actor's clinic a fresh data key: the ones before still open.

    Other processes go on sealing with the one before until they meet a value sealed with the new one, or
    look again within a minute.
    """
    ensure_digest_keys(work)
    known = work.session.scalars(select(ClinicKey.key_id).where(ClinicKey.clinic_id == work.clinic_id))
    number = max(known, default=0) + 1
    row = ClinicKey(clinic_id=work.clinic_id, key_id=number, created_at=work.now)
    raw = new_key()
    row.wrapped = _wrapped(work.session, raw, _place(row))
    work.session.add(row)
    work.session.flush()
    if number == 1:
        _keep_digest_keys(work, raw)
    # Until this commits, nobody else may seal with the new key: rolled back, it would open nothing.
    keyrings(work.session).forget(work.clinic_id)
    work.session.info["clinic_keyrings"] = Keyrings()
    work.audit("clinic-key.create", object_id=str(number))
    return row


def ensure_digest_keys(work: Work) -> None:
    """Give a clinic from before it had any its digest keys; what was digested stays what it is."""
    rows = _data_keys(work.session, work.clinic_id)
    if not rows or keyring(work).has_lookup:
        return
    first = min(rows, key=lambda row: row.key_id)
    _keep_digest_keys(work, _unwrapped(work.session, first))


def keyring(work: Work) -> Keyring:
    """Return the keys of the actor's clinic; raises SealError where it has none that opens."""
    return of_clinic(work.session, work.clinic_id)


def of_clinic(session: Session, clinic_id: UUID) -> Keyring:
    """Return the keys of a clinic, before anybody acts in it; raises SealError."""
    known = keyrings(session).get(clinic_id)
    if known is None:
        known = _read(session, clinic_id)
        keyrings(session).keep(clinic_id, known)
    return known


def blind_index(session: Session, clinic_id: UUID, value: str, place: str) -> str | None:
    """Return by what ``value``, in its one spelling, is found at ``place`` of a clinic without being opened.

    None where the clinic has no key for it, or none any more.
    """
    try:
        found = of_clinic(session, clinic_id)
    except SealError:
        return None  # its keys were destroyed: there is nobody to be found
    return found.index(value, place) if found.has_lookup else None


def keyrings(session: Session) -> Keyrings:
    """Return the keyrings that this process, or this transaction, has opened."""
    found = session.info.get("clinic_keyrings")
    if not isinstance(found, Keyrings):
        found = session.info["clinic_keyrings"] = Keyrings()
    return found


def rewrap(work: Work) -> int:
    """Wrap the clinic's keys with the current master key; return how many were under an older one.

    The keys stay the same, so whoever has them opened goes on with them.
    """
    masters = _masters(work.session)
    ensure_digest_keys(work)
    newest = masters.current
    older = [row for row in _all_keys(work) if key_id_of(row.wrapped) != newest]
    for row in older:
        row.wrapped = masters.seal(masters.open(row.wrapped, _place(row)), _place(row))
    if older:
        work.audit("clinic-key.rewrap", object_id=str(len(older)))
    work.session.flush()
    return len(older)


def check(session: Session) -> None:
    """Raise SealError where the master keys do not open every clinic's keys."""
    rows: list[AnyKey] = [*session.scalars(select(ClinicKey))]
    for row in [*rows, *session.scalars(select(ClinicDigestKey))]:
        _masters(session).open(row.wrapped, _place(row))


def masters(session: Session) -> list[int]:
    """Return the ids of the master keys that wrap any clinic's keys."""
    wrapped = [*session.scalars(select(ClinicKey.wrapped)), *session.scalars(select(ClinicDigestKey.wrapped))]
    return sorted({key_id_of(one) for one in wrapped})


def current(work: Work) -> int:
    """Return the number of the clinic's newest key, as the database has it now."""
    return max(row.key_id for row in _data_keys(work.session, work.clinic_id))


def older(work: Work) -> list[int]:
    """Return the numbers of the clinic's keys but the newest."""
    return sorted(row.key_id for row in _data_keys(work.session, work.clinic_id))[:-1]


def drop_older(work: Work) -> list[int]:
    """Destroy every key of the clinic but the newest; return their numbers.

    The caller has seen that nothing is sealed with them. Raises Conflict while the newest is so young that
    somebody may still write with the one before.
    """
    rows = _data_keys(work.session, work.clinic_id, True)
    if work.now - max(row.created_at for row in rows) < SETTLES:
        hours = int(SETTLES.total_seconds()) // 3600
        raise Conflict("key-too-young", f"The newest key must be {hours} h old before older ones go.")
    gone = sorted(row.key_id for row in rows)[:-1]
    for row in rows:
        if row.key_id in gone:
            work.session.delete(row)
            work.audit("clinic-key.drop", object_id=str(row.key_id))
    work.session.flush()
    keyrings(work.session).forget(work.clinic_id)
    return gone


def destroy(work: Work) -> int:
    """Destroy all keys of the clinic: what they sealed can never be read again. Return how many."""
    number = len(_all_keys(work))
    for table in (ClinicKey, ClinicDigestKey):
        work.session.execute(delete(table).where(table.clinic_id == work.clinic_id))
    keyrings(work.session).forget(work.clinic_id)
    work.audit("clinic-key.destroy", object_id=str(number))
    return number


def _read(session: Session, clinic_id: UUID) -> Keyring:
    rows = _data_keys(session, clinic_id)
    if not rows:
        raise SealError("the clinic has no key")
    keys = {row.key_id: _unwrapped(session, row) for row in rows}
    digests = {row.use: _unwrapped(session, row) for row in _digest_keys(session, clinic_id)}
    return Keyring(keys, max(keys), DigestKeys(digests.get(CONTENT), digests.get(LOOKUP)))


def _keep_digest_keys(work: Work, first: bytes) -> None:
    """Keep the key that digests were made with so far, and a fresh one to look people up with.

    Two processes may do so at once: the rows of the first stay.
    """
    for use, raw in ((CONTENT, digest_key(first)), (LOOKUP, new_key())):
        row = {"clinic_id": work.clinic_id, "use": use, "created_at": work.now}
        wrapped = _wrapped(work.session, raw, _place(ClinicDigestKey(**row)))
        insert = asking.insert_once(ClinicDigestKey, work.session.get_bind().dialect.name)
        work.session.execute(insert, [row | {"wrapped": wrapped}])
    keyrings(work.session).forget(work.clinic_id)
    # As with a fresh data key: nobody else may use them before they are there for good.
    work.session.info["clinic_keyrings"] = Keyrings()


def _data_keys(session: Session, clinic_id: UUID, locked: bool = False) -> list[ClinicKey]:
    query = select(ClinicKey).where(ClinicKey.clinic_id == clinic_id)
    return list(session.scalars(query.with_for_update() if locked else query))


def _all_keys(work: Work) -> list[AnyKey]:
    data: list[AnyKey] = [*_data_keys(work.session, work.clinic_id, True)]
    return [*data, *_digest_keys(work.session, work.clinic_id)]


def _digest_keys(session: Session, clinic_id: UUID) -> list[ClinicDigestKey]:
    return list(session.scalars(select(ClinicDigestKey).where(ClinicDigestKey.clinic_id == clinic_id)))


def _wrapped(session: Session, raw: bytes, place: str) -> bytes:
    return _masters(session).seal(b64encode(raw).decode(), place)


def _unwrapped(session: Session, row: AnyKey) -> bytes:
    return b64decode(_masters(session).open(row.wrapped, _place(row)))


def _place(row: AnyKey) -> str:
    table = type(row).__table__
    return place_of(cast(Table, table), "wrapped", tuple(getattr(row, c.key) for c in table.primary_key))


def _masters(session: Session) -> Masters:
    found = session.info.get("masters")
    if not isinstance(found, Masters):
        raise SealError("this database was opened without a master key")
    return found
