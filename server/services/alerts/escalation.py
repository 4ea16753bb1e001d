"""Which alerts nobody has answered in time, and who is told next: a louder way, then further people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import Session

from server.clinical import escalation
from server.clinical.escalation import EscalationFacts, Waited
from server.clinical.vocabulary import LOST, AlertClass, AlertState
from server.models import UNRESOLVED, Account, Alert, Clinic, Delivery, Patient
from server.services.alerts import alert as alerts
from server.services.alerts import alert_clock, alert_handling, asleep, calls
from server.services.alerts import rota as rotas
from server.services.messages import delivery as deliveries
from server.services.messages import operations
from server.services.messages.contact_point import Way
from server.services.messages.delivery import CALLS
from server.services.people import clinic as clinics
from server.services.work import Work

# Two machines' clocks may be so far apart, and of what one has driven up the other takes nothing down: it
# would ring anew at each look.
_APART = timedelta(hours=1)
# In the order of the index of these alone: else an embedded database goes through all that were ever open.
_IS_CONCERNED = (
    select(Alert.id)
    .where(Alert.clinic_id == Clinic.id, UNRESOLVED)
    .order_by(Alert.urgency, Alert.opened_at, Alert.id)
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)
# The fallback, and then it and the care team.
Beyond = tuple[Sequence[Account], Sequence[Account]]


@dataclass(frozen=True, slots=True)
class Due:
    """An alert that may need attention, and how urgently."""

    urgency: AlertClass
    alert_id: UUID


def clinics_concerned(session: Session) -> Sequence[UUID]:
    """Return the clinics with an alert that is not resolved: most have none, and there may be very many."""
    return clinics.those(session, _IS_CONCERNED)


def due(work: Work) -> Sequence[Due]:
    """Return the clinic's unresolved alerts for which something should have happened by now.

    Those nobody has answered climb, are told another way or to who has come on call, or are exhausted;
    those taken on and left are open again. Most urgent first.
    """
    rota = rotas.of(work)  # held, for a session forgets what nobody holds, and each alert asks for it
    found = work.session.scalars(_of_those_who_stay(work)).all()
    waits = _untaken(work, found) | asleep.due(work, found)
    due_now = [alert for alert in found if alert.id in waits or _is_due(work, alert)]
    del rota
    return [Due(alert.urgency, alert.id) for alert in due_now]


def unresolved(work: Work) -> Sequence[Due]:
    """Return the clinic's unresolved alerts, due or not, most urgent first."""
    query = _of_those_who_stay(work).with_only_columns(Alert.urgency, Alert.id)
    return [Due(*row) for row in work.session.execute(query)]


def _of_those_who_stay(work: Work) -> Select[Alert]:
    here = and_(Patient.clinic_id == Alert.clinic_id, Patient.id == Alert.patient_id)
    query = select(Alert).join(Patient, here & Patient.leaving_at.is_(None))
    query = query.where(Alert.clinic_id == work.clinic_id, UNRESOLVED)
    return query.order_by(Alert.urgency, Alert.opened_at, Alert.id)


def attend(work: Work, alert_id: UUID) -> bool:
    """Do for one alert what is due now. False where nothing is: somebody else was first.

    It may page operations, who are another clinic: the transaction must be for all of them.
    """
    alert = alerts.of_somebody_here(work, alert_id)
    if alert is None or alert.state is AlertState.RESOLVED:
        return False
    alert_clock.put_right(work, alert)
    if alert.state is AlertState.ACKNOWLEDGED:
        return alert_handling.expire(work, alert_id)
    _lower(work, alert)
    facts = _facts(work, alert)
    climbed = _climb(work, alert, escalation.due(facts, clinics.policy(work)))
    woken = asleep.call(work, alert)
    rows, before = deliveries.about(work, alert.id), _before(work)
    spread = [deliveries.next_way(work, row) for row in calls.stuck(rows, alert, before)]
    # Where nothing leaves at all this goes up step by step: not at night for what can wait until the morning.
    waits = not any(spread) and escalation.may_climb(facts) and calls.is_untaken(work, rows, alert, before)
    passed = waits and _pass_on(work, alert)
    return any((climbed, woken, any(spread), passed, _exhaust(work, alert)))


def lost(work: Work, alert_id: UUID) -> None:
    """React to a message about an alert that reached nobody: another way of theirs, else the next people.

    Nothing where somebody has the alert meanwhile, or another message of the same call may still arrive;
    nothing either where it is a probe, which is about nobody and judged by the next one.
    """
    alert = alerts.of_somebody_here(work, alert_id)
    if alert is None or alert.state is not AlertState.OPEN or clinics.is_operations(work):
        return
    rows = deliveries.of_present_call(deliveries.about(work, alert.id), alert)
    told = {row.account_id for row in rows if row.state not in LOST and not calls.sleeps(work, row)}
    # Every way of one person is tried before the next people hear, but nobody waits for one who is lost.
    ended = {row.account_id: row for row in rows if row.account_id not in told and row.state in LOST}
    more = [deliveries.next_way(work, row) for row in ended.values()]
    if any(more) or told:
        return
    _pass_on(work, alert)


def _is_due(work: Work, alert: Alert) -> bool:
    if alert_clock.is_ahead(work, alert):
        return True
    if alert.state is AlertState.ACKNOWLEDGED:
        return alert.acknowledged_until is not None and alert.acknowledged_until <= work.now
    facts, policy = _facts(work, alert), clinics.policy(work)
    if _is_worn_out(work, alert) or escalation.due(facts, policy) > alert.level:
        return True
    return _is_too_high(work, alert)


def _lower(work: Work, alert: Alert) -> None:
    """Let what a clock that was ahead has driven up ring again when it is due by the one that is right.

    Else it would fall silent for as long as that was ahead.
    """
    if not _is_too_high(work, alert):
        return
    most = _highest(work, alert)
    too_high = Delivery.clinic_id == work.clinic_id, Delivery.subject_id == alert.id, Delivery.level > most
    work.session.execute(update(Delivery).where(*too_high).values(level=most))
    alert.level = most
    alert.version += 1


def _is_too_high(work: Work, alert: Alert) -> bool:
    return alert.level > _highest(work, alert, _APART)


def _highest(work: Work, alert: Alert, later: timedelta = timedelta()) -> int:
    """Return the level it can have by so much later: above the rota's last step the clock alone leads."""
    last = rotas.last_step(work)
    if alert.level <= last or not escalation.may_climb(facts := _facts(work, alert)):
        return alert.level
    waited = facts.waited
    then = Waited(waited.absolute + later, waited.working + later, waited.business + later)
    return max(escalation.due(replace(facts, waited=then, level=0), clinics.policy(work)), last)


def _climb(work: Work, alert: Alert, level: int, but: Collection[UUID] = ()) -> bool:
    """Tell everybody up to ``level``, ``but`` some accounts. False where it is reached already."""
    if level <= alert.level:
        return False
    before, alert.level = alert.level, level
    alert.version += 1
    told = deliveries.enqueue(work, alert, climbed_from=before, but=but)
    alerts.log(work, alert, "escalated", {"level": level, "told": told})
    return True


def _exhaust(work: Work, alert: Alert) -> bool:
    return _is_worn_out(work, alert) and _mark_exhausted(work, alert)


def _is_worn_out(work: Work, alert: Alert) -> bool:
    """Say whether nobody is left to tell: the policy's clocks and the rota's steps are all behind it."""
    if alert.exhausted_at is not None or alert.level < rotas.last_step(work):
        return False
    return escalation.exhausted(_facts(work, alert), clinics.policy(work))


def _pass_on(work: Work, alert: Alert) -> bool:
    """Let the next step hear at once: nobody of the present one could be told.

    Whose message waits still is not told anew: it would look as if they had been called only now.
    """
    if alert.level < rotas.last_step(work):
        waiting = calls.waiting(deliveries.about(work, alert.id), alert)
        return _climb(work, alert, alert.level + 1, {row.account_id for row in waiting})
    return _tell_beyond(work, alert) or _mark_exhausted(work, alert)


def _tell_beyond(work: Work, alert: Alert) -> bool:
    """Call whom no step names: the fallback; where that is lost too, or has not answered, the care team."""
    people = _beyond(alert, deliveries.about(work, alert.id), rotas.beyond_steps(work))
    if not people:
        return False
    alert.version += 1
    told = deliveries.call_people(work, alert, people)
    alerts.log(work, alert, "escalated", {"level": alert.level, "told": told})
    ids = {one.id for one in people}
    call = deliveries.of_present_call(deliveries.about(work, alert.id), alert)
    if all(calls.sleeps(work, row) for row in call if row.account_id in ids):
        _pass_on(work, alert)  # nothing ends, and nothing waits too long, before the morning
    return True


def _beyond(alert: Alert, rows: Sequence[Delivery], beyond: Beyond) -> Sequence[Account]:
    """Return whom of those past the steps to call next: the fallback once, then whoever waits for no call."""
    fallback, team = beyond
    known = {
        row.account_id for row in rows if row.template in CALLS and row.created_at >= alert.waiting_since
    }
    present = (*deliveries.of_present_call(rows, alert), *calls.waiting(rows, alert))
    called = {row.account_id for row in present}
    first = [one for one in fallback if one.id not in known]
    return first or [one for one in team if one.id not in called]


def _mark_exhausted(work: Work, alert: Alert) -> bool:
    """Show that the ladder is at its end, and page whoever runs this service. The climb goes on."""
    if alert.exhausted_at is not None:
        return False
    alert.exhausted_at = work.now
    alert.version += 1
    alerts.log(work, alert, "exhausted")
    operations.page(work.session, work.now, "ladder_exhausted", f"exhausted:{alert.id}:{alert.waiting_since}")
    return True


def _before(work: Work) -> datetime:
    """Return since when a message must have waited for its recipient to be told another way."""
    return work.now - escalation.next_way_after(clinics.policy(work))


def _untaken(work: Work, found: Sequence[Alert]) -> set[UUID]:
    """Return those of ``found`` with a call that waits too long, about which something is left to be done.

    A far end that is away may keep thousands waiting for hours: all of them are looked at together, and
    none is attended to again once everybody was told over every way.
    """
    rows = calls.of_those_stuck(work, _before(work))
    if not rows:
        return set()
    ways, beyond = _Ways(work), rotas.beyond_steps(work)
    stuck = [alert for alert in found if alert.id in rows]
    return {alert.id for alert in stuck if _is_left(ways, alert, rows[alert.id], beyond)}


def _is_left(ways: "_Ways", alert: Alert, rows: Sequence[Delivery], beyond: Beyond) -> bool:
    """Say whether `attend` would do anything about a call that waits: another way, or others to call."""
    work, before = ways.work, _before(ways.work)
    waiting = calls.stuck(rows, alert, before)
    if any(deliveries.ways_left(row, ways[row.account_id], rows) for row in waiting):
        return True
    if not escalation.may_climb(_facts(work, alert)) or not calls.is_untaken(work, rows, alert, before):
        return False
    ended = alert.exhausted_at is not None and alert.level >= rotas.last_step(work)
    return not ended or bool(_beyond(alert, rows, beyond))


class _Ways(dict[UUID, Sequence[Way]]):
    """Everybody's ways, each asked for once."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __missing__(self, account_id: UUID) -> Sequence[Way]:
        account = self.work.session.get_one(Account, (self.work.clinic_id, account_id))
        self[account_id] = deliveries.ways_of(self.work, account)
        return self[account_id]


def _facts(work: Work, alert: Alert) -> EscalationFacts:
    hours, since = rotas.hours(work), alert.waiting_since
    waited = Waited(
        absolute=work.now - since,
        working=hours.working_time(since, work.now),
        business=hours.business_time(since, work.now),
    )
    return EscalationFacts(alert.urgency, waited, alert.level, hours.is_open(work.now))
