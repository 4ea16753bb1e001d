"""A patient's check-in plan as it is, and when the reminder job has to look at them next."""

from datetime import date, datetime

from server.clinical import reminders
from server.clinical.checkins import Anchor, ScalePlan
from server.clinical.reminders import Pause, Rhythm
from server.models import CheckInPlan, Patient
from server.services import local_day as local_days
from server.services.work import Work


def plan_of(work: Work, patient: Patient) -> CheckInPlan:
    """Return the patient's plan; the usual one where nobody has changed it yet (not stored then)."""
    found = work.session.get(CheckInPlan, (patient.clinic_id, patient.id))
    return found or _usual(patient)


def keep(work: Work, patient: Patient) -> CheckInPlan:
    """Return the patient's plan, stored. The caller holds the patient's row lock."""
    plan = plan_of(work, patient)
    work.session.add(plan)
    return plan


def begin(work: Work, patient: Patient) -> None:
    """Store the usual plan of who has just enrolled, to be looked at now; a plan that is there stays."""
    if work.session.get(CheckInPlan, (patient.clinic_id, patient.id)) is None:
        keep(work, patient).next_at = work.now


def rhythm_of(work: Work, plan: CheckInPlan) -> Rhythm:
    """Return how the patient wants to be reminded."""
    pause = None
    if plan.pause_first is not None and plan.pause_last is not None:
        pause = Pause(plan.pause_first, plan.pause_last)
    return Rhythm(
        at=plan.remind_at,
        every_days=plan.every_days,
        quiet_from=plan.quiet_from,
        quiet_until=plan.quiet_until,
        pause=pause,
        jitter=reminders.jitter_of(plan.patient_id),
        day_start=local_days.start(work),
    )


def quiet_until(work: Work, patient: Patient) -> datetime:
    """Return the end of the patient's quiet hours, where they are on now; else now."""
    return reminders.quiet_end(work.now, rhythm_of(work, plan_of(work, patient)), patient.zone)


def scales_of(plan: CheckInPlan) -> list[ScalePlan]:
    """Return the scales the care team has set."""
    return [
        ScalePlan(
            instrument=scale["instrument"],
            anchor=Anchor(scale["anchor"]),
            offsets=tuple(scale["offsets"]),
            every_days=scale["every_days"],
            first_day=date.fromisoformat(scale["first_day"]) if scale["first_day"] else None,
            open_days=scale["open_days"],
        )
        for scale in plan.scales
    ]


def first_look(work: Work, plan: CheckInPlan) -> datetime | None:
    """Return when the reminder job will look at whose ``plan`` it is: now where it is due, None for never."""
    if plan not in work.session:
        return work.now  # whom the job has never seen it looks at first of all
    return plan.next_at and max(plan.next_at, work.now)


def next_reminder(work: Work, patient: Patient, plan: CheckInPlan) -> datetime | None:
    """Return when the job looks at this patient next by the plan and zone of now: at once in an open slot."""
    if not plan.reminders:
        return None
    rhythm = rhythm_of(work, plan)
    if reminders.open_slot(work.now, rhythm, patient.zone) is not None:
        return work.now
    return reminders.next_look(work.now, rhythm, patient.zone)


def replan(work: Work, patient: Patient) -> None:
    """Work out anew when to look at the patient: after a change of plan or zone, as often as you like.

    What was reminded of stays so: planning again never sends anything again.
    """
    plan = keep(work, patient)
    plan.next_at = next_reminder(work, patient, plan)


def _usual(patient: Patient) -> CheckInPlan:
    return CheckInPlan(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        reminders=True,
        remind_at=reminders.REMIND_AT,
        every_days=reminders.EVERY_DAYS,
        quiet_from=reminders.QUIET_FROM,
        quiet_until=reminders.QUIET_UNTIL,
        pause_first=None,
        pause_last=None,
        scales=[],
        next_at=None,
        version=1,
    )
