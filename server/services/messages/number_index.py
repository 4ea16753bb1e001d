"""The blind index by which STOP finds a telephone number that is in use, without opening any other.

Numbers from before it have none until the daily job gave them one (`fill_some`); meanwhile they are opened.
"""

from contextlib import suppress
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select, true
from sqlalchemy.orm import Session

from server.clinical.vocabulary import Channel
from server.keys.sealing import SealError
from server.models import ContactPoint
from server.models.sealed import place_of
from server.services import clinic_key as clinic_keys
from server.services import vault
from server.services.work import Work

BATCH = 200
IN_USE = (ContactPoint.channel == Channel.SMS, ContactPoint.retired_at.is_(None))
_UNKNOWN = ContactPoint.address_index.is_(None)


def normalised(number: str) -> str:
    """Return a number as in E.164, however it was set apart, with +, 00 or neither before it."""
    digits = "".join(one for one in number if one.isdecimal() and one.isascii())
    return f"+{digits.removeprefix('00')}"


def may_be(session: Session, clinic_id: UUID, number: str) -> ColumnElement[bool]:
    """Return what holds for the rows of a clinic that lead to ``number``, or that no index tells of.

    Without the key every row may: a STOP is not to be lost.
    """
    index = index_of(session, clinic_id, number)
    fits = true() if index is None else or_(ContactPoint.address_index == index, _UNKNOWN)
    return and_(ContactPoint.clinic_id == clinic_id, *IN_USE, fits)


def index_of(session: Session, clinic_id: UUID, number: str) -> str | None:
    """Return the blind index of ``number`` at a clinic, None where it has no key for it."""
    return clinic_keys.blind_index(session, clinic_id, normalised(number), _place(clinic_id))


def keep(work: Work, row: ContactPoint, address: str) -> None:
    """Give a contact point in use that leads to ``address`` its index; only a telephone has one."""
    if row.channel is Channel.SMS:
        clinic_keys.ensure_digest_keys(work)
        row.address_index = index_of(work.session, work.clinic_id, address)


def leads(work: Work, row: ContactPoint, number: str) -> bool:
    """Return whether a row leads to ``number``; what does not open any more reaches nobody."""
    return normalised(_opened(work, row) or "") == normalised(number)


def fill_some(work: Work, after: UUID | None = None, size: int = BATCH) -> tuple[UUID | None, int]:
    """Index up to ``size`` numbers; return the last row looked at (None: all were) and how many were done.

    The version before takes a number away without its index: that goes too. What does not open stays.
    """
    query = _due(work).order_by(ContactPoint.id).limit(size).with_for_update()
    if after is not None:
        query = query.where(ContactPoint.id > after)
    found = list(work.session.scalars(query))
    done = [_fill(work, row) for row in found]
    work.session.flush()
    return (found[-1].id if len(found) == size else None), sum(done)


def is_due(work: Work) -> bool:
    """Return whether `fill_some` would look at anything."""
    return work.session.scalar(_due(work).limit(1)) is not None


def _due(work: Work) -> Select[ContactPoint]:
    gone = and_(ContactPoint.retired_at.is_not(None), ContactPoint.address_index.is_not(None))
    due = or_(and_(*IN_USE, _UNKNOWN), gone)
    return select(ContactPoint).where(ContactPoint.clinic_id == work.clinic_id, due)


def _fill(work: Work, row: ContactPoint) -> bool:
    if row.retired_at is not None:
        row.address_index = None
        return True
    number = _opened(work, row)
    if number is not None:
        keep(work, row, number)
    return row.address_index is not None


def _opened(work: Work, row: ContactPoint) -> str | None:
    key = (row.clinic_id, row.id)
    with suppress(SealError):  # the address alone: what else is sealed there is not asked for
        return str(vault.opened_value(work, ContactPoint, key, "address", row.sealed_address))
    return None


def _place(clinic_id: UUID) -> str:
    return place_of(cast(Table, ContactPoint.__table__), "address_index", (clinic_id,))
