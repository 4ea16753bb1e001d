"""Who is on call when: shifts are added and taken away, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select
from uuid_utils.compat import uuid7

from server.clinical import rota
from server.clinical.rota import Duty
from server.models import Shift
from server.services.errors import Conflict, Invalid, NotFound
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work

# Enough for everybody of a large clinic; what is looked through at every alert stays small.
MOST_SHIFTS = 500
# Clocks differ by a day at the most, and no shift that comes again is longer than a week.
_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewShift:
    """``starts`` and ``ends`` are civil times of the clinic's zone; ``weekly_until``: None for only once."""

    account_id: UUID
    starts: datetime
    ends: datetime
    weekly_until: date | None


def page(work: Work, after: UUID | None, size: int) -> Sequence[Shift]:
    """Return up to ``size`` shifts that are not over, in the order they were added, after id ``after``."""
    query = _not_over(work, work.now)
    if after is not None:
        query = query.where(Shift.id > after)
    return work.session.scalars(query.order_by(Shift.id).limit(size)).all()


def add(work: Work, new: NewShift) -> Shift:
    """Put somebody of the clinic's staff on call. Raises Invalid for others, and Conflict."""
    clinics.lock(work)
    if not accounts.colleagues(work, [new.account_id]):
        raise Invalid("/account_id", accounts.NO_COLLEAGUE)
    known = work.session.scalars(_not_over(work, work.now).limit(MOST_SHIFTS)).all()
    if len(known) >= MOST_SHIFTS:
        raise Conflict("too-many-shifts", f"A clinic has {MOST_SHIFTS} shifts at the most.")
    return _put(work, new)


def _put(work: Work, new: NewShift) -> Shift:
    row = Shift(
        clinic_id=work.clinic_id,
        id=uuid7(),
        account_id=new.account_id,
        starts=new.starts,
        ends=new.ends,
        weekly_until=new.weekly_until,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.audit("shift.create", object_id=row.id)
    return row


def remove(work: Work, shift_id: UUID) -> None:
    """Take a shift away, every time it would come again included. Raises NotFound."""
    row = work.session.get(Shift, (work.clinic_id, shift_id), with_for_update=True)
    if row is None:
        raise NotFound("shift")
    work.session.delete(row)
    work.session.flush()
    work.audit("shift.delete", object_id=shift_id)


def pass_on(work: Work, account_id: UUID) -> datetime | None:
    """Put ``account_id`` on call in the actor's place for what is left of their present duties.

    What comes again next week stays the actor's. Return until when; None where they are not on call.
    However many shifts there are: what is left of this one is no more to be on call, and nobody who goes
    home can take others away first. ``account_id`` is a colleague, and the clinic is locked.
    """
    zone = clinics.get(work).zone
    ends = None
    for row in list(work.session.scalars(_not_over(work, work.now).with_for_update())):
        pure = rota.Shift(row.account_id, row.starts, row.ends, row.weekly_until)
        mine = rota.duties_at([pure], zone, work.now) if row.account_id == work.actor.account_id else ()
        for duty in mine:
            _skip(work, row, duty, zone)
            _put(work, NewShift(account_id, rota.civil(work.now, zone), rota.civil(duty.ends, zone), None))
            ends = max(ends or duty.ends, duty.ends)
    return ends


def _skip(work: Work, row: Shift, duty: Duty, zone: str) -> None:
    """End a shift's present time now; where it comes again, it begins with the next time."""
    weeks = (rota.civil(duty.starts, zone) - row.starts) // rota.WEEK + 1
    starts, ends = row.starts + weeks * rota.WEEK, row.ends + weeks * rota.WEEK
    if row.weekly_until is not None and starts.date() <= row.weekly_until:
        row.starts, row.ends = starts, ends
    else:
        row.ends, row.weekly_until = max(rota.civil(work.now, zone), row.starts), None
    work.session.flush()


def duties(work: Work, start: datetime, end: datetime) -> tuple[Duty, ...]:
    """Return who is on call from ``start`` until ``end`` (aware), earliest first, whoever they are."""
    return rota.spans(_pure(work, start), clinics.get(work).zone, start, end)


def duties_now(work: Work) -> tuple[Duty, ...]:
    """Return the duties that are on now, longest on duty first."""
    return rota.duties_at(_pure(work, work.now), clinics.get(work).zone, work.now)


def _pure(work: Work, since: datetime) -> list[rota.Shift]:
    rows = work.session.scalars(_not_over(work, since))
    return [rota.Shift(row.account_id, row.starts, row.ends, row.weekly_until) for row in rows]


def _not_over(work: Work, since: datetime) -> Select[Shift]:
    civil = since.astimezone(ZoneInfo(clinics.get(work).zone)).replace(tzinfo=None) - _MARGIN
    last_begins = civil.date() - rota.LONGEST_WEEKLY
    return select(Shift).where(
        Shift.clinic_id == work.clinic_id,
        or_(Shift.ends >= civil, Shift.weekly_until >= last_begins),
    )
