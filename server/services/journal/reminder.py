"""Reminders: found due, written once with the delivery that carries them, not sent when no longer wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, func, or_, select, union_all, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server import isolation
from server.clinical import reminders
from server.clinical.checkins import Occurrence
from server.clinical.reminders import Rhythm, Slot
from server.clinical.vocabulary import AlertClass, DeliverySubject
from server.models import Account, CheckInPlan, Delivery, Patient, Reminder
from server.services.asking import of_patient
from server.services.journal import occurrence as occurrences
from server.services.journal import planning
from server.services.journal.occurrence import Outlook
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.work import Work, system

# The diary has its turn on every third day at least, and only the first of them can be logged ahead.
_DAYS_AHEAD = 8
# Without a pause nobody is looked at more rarely: a day has a slot, and quiet hours or a change of the clock
# put it off by little.
_FAR = timedelta(hours=30)
_LATELY = timedelta(days=2)
# Whoever has enrolled has a plan. The version before kept it when its job first looked at them: who has none
# is looked for among those of a week, and once an hour among all.
_NEWEST = timedelta(days=7)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_IS_OF = and_(CheckInPlan.clinic_id == Patient.clinic_id, CheckInPlan.patient_id == Patient.id)
_PLANNED = (
    select(Patient.clinic_id, Patient.id).join(CheckInPlan, _IS_OF).where(Patient.enrolled_at.is_not(None))
)
# Each by an index of its own: all that there are, every minute, would be too many.
_DUE = union_all(
    _PLANNED.where(CheckInPlan.next_at <= bindparam("now")),
    # Planned by a clock that was ahead; where they are not there yet, it is our own that is behind.
    # A pause is over when it is over.
    _PLANNED.where(
        CheckInPlan.next_at > bindparam("far"),
        Patient.created_at <= bindparam("far"),
        or_(CheckInPlan.pause_last.is_(None), CheckInPlan.pause_last < bindparam("lately")),
    ),
    select(Patient.clinic_id, Patient.id).where(
        Patient.enrolled_at > bindparam("newest"), ~exists().where(_IS_OF)
    ),
).limit(bindparam("limit"))
_REMINDED = select(Reminder.key).where(
    *of_patient(Reminder), Reminder.key.in_(bindparam("keys", expanding=True))
)
# On which days as many messages went out as a day may have.
_FULL = (
    select(Reminder.local_day)
    .where(*of_patient(Reminder), Reminder.local_day.in_(bindparam("days", expanding=True)))
    .group_by(Reminder.local_day)
    .having(func.count(Reminder.delivery_id.distinct()) >= reminders.MOST_A_DAY)
)


@dataclass(frozen=True, slots=True)
class Looks:
    """When the job looks at a patient, each with the day of the slot it finds open; and their rhythm."""

    each: tuple[tuple[datetime, date], ...] = ()
    rhythm: Rhythm = Rhythm()

    @property
    def days(self) -> tuple[date, ...]:
        """The local days, in order."""
        return tuple(day for _, day in self.each)


def due(session: Session, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """Return up to ``limit`` enrolled patients of whichever clinic to look at now: clinic and id."""
    isolation.expect_all(session)
    newest = now - _NEWEST if now.minute else _BEGINNING
    found = session.connection().execute(_DUE, {**_moments(now), "newest": newest, "limit": limit})
    return [(clinic_id, patient_id) for clinic_id, patient_id in found]


def remind(work: Work, patient_id: UUID) -> bool:
    """Remind one patient of everything that is due now, in one message, and plan the next look.

    False where there is nothing to say, or another worker has them or was first.
    """
    patient = _take(work, patient_id)
    if patient is None:
        return False
    plan = planning.keep(work, patient)
    rhythm = planning.rhythm_of(work, plan)
    plan.next_at = reminders.next_look(work.now, rhythm, patient.zone) if plan.reminders else None
    slot = reminders.open_slot(work.now, rhythm, patient.zone)
    account = accounts.of_patient(work, patient_id)
    if slot is None or account is None or not _wants(plan, patient, work.now):
        return False
    outlook = occurrences.outlook(work, patient, [slot.day], plan)
    due_now = _to_remind(work, patient, Looks(((slot.at, slot.day),), rhythm), outlook).get(slot.day)
    if not due_now:
        return False
    until = reminders.until_quiet(work.now, slot, rhythm, patient.zone)
    _write(work, account, replace(slot, until=until), due_now)
    return True


def looks(work: Work, patient: Patient, plan: CheckInPlan) -> Looks:
    """Return when `remind` will look at the patient, whose ``plan`` it is, next if nothing changes.

    Nothing where nobody can be reminded, and none that lies further ahead than 40 looks (of a day each).
    """
    first = planning.first_look(work, plan)
    if first is None or accounts.of_patient(work, patient.id) is None:
        return Looks()
    rhythm = planning.rhythm_of(work, plan)
    ahead = reminders.coming_slots(first, rhythm, patient.zone)
    wanted = ((at, slot.day) for at, slot in ahead if _wants(plan, patient, at))
    return Looks(tuple(islice(wanted, _DAYS_AHEAD)), rhythm)


def coming(work: Work, patient: Patient, ahead: Looks, outlook: Outlook) -> datetime | None:
    """Return at which look `remind` will remind the patient next, by its own rules; None at none of them.

    ``outlook`` is that on the days of the looks.
    """
    if not ahead.each:
        return None
    found = _to_remind(work, patient, ahead, outlook)
    return next((at for at, day in ahead.each if found.get(day)), None)


def is_wanted(session: Session, now: datetime, delivery: Delivery) -> bool:
    """Return whether a reminder that waits is still of use: asked for, and something of it not done."""
    rows = session.scalars(
        select(Reminder).where(Reminder.clinic_id == delivery.clinic_id, Reminder.delivery_id == delivery.id)
    ).all()
    if not rows:
        return False  # its patient is being erased
    work = Work(session, now, system(delivery.clinic_id))
    patient = session.get_one(Patient, (delivery.clinic_id, rows[0].patient_id))
    plan = planning.plan_of(work, patient)
    pause = planning.rhythm_of(work, plan).pause
    paused = pause is not None and pause.first <= rows[0].local_day <= pause.last
    if planning.quiet_until(work, patient) > now:
        return False  # hours, or a zone, that they did not have when it was written
    keys = {row.key for row in rows}
    wants = _wants(plan, patient, work.now) and not paused
    return wants and occurrences.done(work, patient.id, keys) != keys


def _take(work: Work, patient_id: UUID) -> Patient | None:
    """Lock the patient; None where another worker has them or has looked at them meanwhile."""
    query = select(Patient).where(Patient.clinic_id == work.clinic_id, Patient.id == patient_id)
    patient = work.session.scalar(query.with_for_update(skip_locked=True, key_share=True))
    if patient is None:
        return None
    plan = work.session.get(CheckInPlan, (work.clinic_id, patient_id))
    return None if plan is not None and _is_looked_at(plan, work.now) else patient


def _is_looked_at(plan: CheckInPlan, now: datetime) -> bool:
    if plan.next_at is None:
        return True
    moments = _moments(now)
    is_paused = plan.pause_last is not None and plan.pause_last >= moments["lately"]
    return now < plan.next_at and (is_paused or plan.next_at <= moments["far"])


def _moments(now: datetime) -> dict[str, Any]:
    return {"now": now, "far": now + _FAR, "lately": (now - _LATELY).date()}


def _wants(plan: CheckInPlan, patient: Patient, now: datetime) -> bool:
    return plan.reminders and patient.enrolled_at is not None and not patients.is_paused(patient, now)


def _to_remind(
    work: Work, patient: Patient, ahead: Looks, outlook: Outlook
) -> Mapping[date, Sequence[Occurrence]]:
    """Return what to remind of on each local day as far as is known now; not of days with enough messages."""
    days = ahead.days
    keys = {occurrence.key for day in days for occurrence in outlook.open[day]}
    reminded = {row.key for row in work.rows(_REMINDED, patient=patient.id, keys=tuple(sorted(keys)))}
    full = {row.local_day for row in work.rows(_FULL, patient=patient.id, days=days)}
    return {
        day: reminders.to_remind(outlook.open[day], ahead.rhythm, outlook.done, reminded)
        for day in days
        if day not in full
    }


def _write(work: Work, account: Account, slot: Slot, found: Sequence[Occurrence]) -> None:
    assert account.patient_id is not None, "a patient's account names its patient"
    rows = [
        Reminder(
            clinic_id=work.clinic_id,
            id=uuid7(),
            patient_id=account.patient_id,
            key=occurrence.key,
            local_day=slot.day,
            created_at=work.now,
        )
        for occurrence in found
    ]
    delivery = deliveries.call(work, account, _notice(rows[0], slot.until))
    assert delivery is not None, "who has not been reminded of it has no message about it"
    for row in rows:
        row.delivery_id = delivery.id
    work.session.add_all(rows)
    work.session.flush()


def move(work: Work, lost: Delivery, again: Delivery) -> None:
    """Let the reminders that ``lost`` carried be carried by ``again``."""
    carried = (Reminder.clinic_id == lost.clinic_id, Reminder.delivery_id == lost.id)
    work.session.execute(update(Reminder).where(*carried).values(delivery_id=again.id))


def _notice(first: Reminder, until: datetime) -> Notice:
    return Notice(
        key=f"reminder:{first.patient_id}:{first.key}",
        template="reminder",
        subject=DeliverySubject.REMINDER,
        subject_id=first.id,
        urgency=AlertClass.P3,
        expires_at=until,
    )
