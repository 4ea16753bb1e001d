"""The newest response of a patient, as whoever plans a visit needs it; nothing is taken or judged here.

One of a day that can't be relied on was given when it came in: by its own word a clock that is a year ahead
would hide all others for a year.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Float, bindparam, case, func, select, type_coerce

from server.models import QuestionnaireResponse
from server.models.types import Instant
from server.services import vault
from server.services.asking import of_patient
from server.services.scales.open_scale import least_total
from server.services.scales.reliable_day import holds, is_reliable
from server.services.scales.whole_scale import is_whole
from server.services.work import Work

_STANDING = (*of_patient(QuestionnaireResponse), QuestionnaireResponse.deleted_at.is_(None))
_OF_SCALE = (*_STANDING, QuestionnaireResponse.instrument == bindparam("instrument"))
_GIVEN_AT = case((is_reliable(), QuestionnaireResponse.occurred_at), else_=QuestionnaireResponse.received_at)
_ORDER = (_GIVEN_AT.desc(), QuestionnaireResponse.id.desc())
_NEWEST = (
    select(
        QuestionnaireResponse.local_day,
        QuestionnaireResponse.received_at,
        type_coerce(QuestionnaireResponse.total, Float),
        is_reliable(),
        _GIVEN_AT,
    )
    .where(*_OF_SCALE)
    .order_by(*_ORDER)
    .limit(1)
)
# One that was left too open for a total takes nothing back of what the one before said.
_NEWEST_WHOLE = _NEWEST.where(QuestionnaireResponse.total.is_not(None))
_OPEN = (
    select(QuestionnaireResponse)
    .where(*_OF_SCALE, QuestionnaireResponse.total.is_(None), bindparam("since", type_=Instant) < _GIVEN_AT)
    .order_by(*_ORDER)
)
_NEWEST_DAY = select(func.max(QuestionnaireResponse.local_day)).where(
    *_STANDING, is_reliable(), is_whole(), QuestionnaireResponse.local_day <= bindparam("last")
)


class Given(NamedTuple):
    """A response: the day it names, when it came in, its total, whether the day can be relied on.

    ``given_at``: when it was given, by our clock where its own can't be relied on. Not ``is_whole``: it was
    left too open for a total, and ``total`` is what it is at the least.
    """

    local_day: date
    received_at: datetime
    total: float
    is_reliable: bool
    given_at: datetime
    is_whole: bool = True


def of(work: Work, patient_id: UUID, instrument: str) -> Given | None:
    """Return the response to ``instrument`` that was given last, in any version of it, or None.

    A deleted response does not count, nor one without a total.
    """
    found = work.rows(_NEWEST_WHOLE, patient=patient_id, instrument=instrument)
    return next((Given(*row) for row in found), None)


def standing(work: Work, patient_id: UUID, instrument: str, since: datetime) -> Sequence[Given]:
    """Return what stands of ``instrument``, newest first: that one, and those after it and ``since``.

    They are too open for a total, so that they end nothing; what was answered may be much all the same.
    """
    newest = work.rows(_NEWEST, patient=patient_id, instrument=instrument)
    if not newest or newest[0][2] is not None:  # nearly always
        return [Given(*row) for row in newest]
    whole = of(work, patient_id, instrument)
    after = since if whole is None else max(since, whole.given_at)
    rows = work.objects(_OPEN, patient=patient_id, instrument=instrument, since=after)
    return [*_at_least(vault.opened(work, rows)), *filter(None, [whole])]


def day(work: Work, patient_id: UUID, today: date) -> date | None:
    """Return the local day, up to ``today``, of the newest response to any scale, or None.

    One that was left too open for its total does not count.
    """
    return work.value(_NEWEST_DAY, patient=patient_id, last=today)


def _at_least(rows: Iterable[QuestionnaireResponse]) -> Iterator[Given]:
    for row in rows:
        total, is_reliable = least_total(row), holds(row)
        given_at = row.occurred_at if is_reliable else row.received_at
        if total is not None:
            yield Given(row.local_day, row.received_at, total, is_reliable, given_at, is_whole=False)
