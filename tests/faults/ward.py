"""What the tests of faults do again and again: fall ill, be told, let time pass from event to event."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from jobs import deliver, escalate
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import (
    WAITING,
    AlertClass,
    AlertFamily,
    AlertState,
    Channel,
    DeliverySubject,
    Role,
)
from server.isolation import Extent
from server.models import Account, Alert, AlertEvent, Delivery, Patient
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.messages import contact_point as contact_points
from server.services.messages import operations
from server.services.messages import webhook as webhooks
from server.services.people import patient as patients
from server.services.work import Work, system
from tests.cast import Cast, Person, new_staff
from tests.conftest import Clock

OPERATIONS = "operations@service.example"
# How often an unanswered alert may have something new to do, at the most.
_STEPS = {
    AlertClass.P0: timedelta(minutes=15),
    AlertClass.P1: timedelta(hours=1),
    AlertClass.P2: timedelta(hours=1),
}
_NEXT_WAY = timedelta(minutes=5)
# The worker looks as often (`jobs.timetable`).
TICK = timedelta(seconds=10)


@dataclass(frozen=True)
class Ward:
    """Ana's clinic under trouble."""

    app: Flask
    cast: Cast
    clock: Clock
    around: Around

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Open a writing transaction of the clinic's system."""
        with self.around.database.write() as session:
            yield Work(session, self.clock.now, system(self.cast.ana.clinic_id))

    def hire(self, name: str) -> Person:
        """Hire one more clinician."""
        return new_staff(self.app, self.cast.ana.clinic_id, Role.CLINICIAN, name)

    def alert(self, urgency: AlertClass, clinician: Person | None = None) -> UUID:
        """Register one more patient and raise an alert about them; return the alert's id."""
        with self.work() as work:
            about = {
                "name": "Pat",
                "zone": "Europe/Oslo",
                "clinician_id": (clinician or self.cast.bo).account_id,
            }
            patient = patients.create(work, about)
            return self._raised(work, patient, urgency)

    def _raised(self, work: Work, patient: Patient, urgency: AlertClass) -> UUID:
        day = local_days.of(work, work.now, patient.zone)
        found = Finding(AlertFamily.SIDE_EFFECT, urgency, day, ("chest_pain",), "The patient reported.")
        alert = episodes.raise_alert(work, patient, found)
        assert alert is not None
        return alert.id

    def relapse(self, who: Person) -> UUID:
        """Raise the alert by which the watch tells of a relapse."""
        with self.work() as work:
            patient = work.session.get_one(Patient, (work.clinic_id, who.patient_id))
            day = local_days.of(work, work.now, patient.zone)
            found = Finding(AlertFamily.MOOD_RELAPSE, AlertClass.P2, day, ("R2:composite",), "It returns.")
            alert = episodes.raise_alert(work, patient, found)
            assert alert is not None
            return alert.id

    def phone(self, who: Person, number: str) -> UUID:
        """Give somebody a telephone, before their e-mail."""
        with self.work() as work:
            return contact_points.add(work, who.account_id, Channel.SMS, number).id

    def browser(self, who: Person, subscription: str) -> UUID:
        """Give somebody a browser that takes pushes."""
        with self.work() as work:
            return contact_points.add(work, who.account_id, Channel.PUSH, subscription).id

    def hook(self, who: Person, url: str) -> UUID:
        """Give somebody a webhook."""
        with self.work() as work:
            return webhooks.register(work, who.account_id, url).point.id

    def watched(self) -> None:
        """Set operations up to be paged."""
        with self.around.database.write(Extent.ALL) as session:
            operations.ensure(session, self.clock.now, OPERATIONS)

    def look(self) -> None:
        """Run the two jobs that tell people, as they would at one tick."""
        escalate.run(self.around, self.clock.now)
        with suppress(Incomplete):  # urgent ones wait too long: that is what these tests are about
            deliver.run(self.around, self.clock.now)

    def until(self, end: datetime, tick: timedelta = TICK) -> None:
        """Let time pass until ``end``, looking at every tick at which something is due."""
        while (moment := self.next_moment()) <= end:
            self.clock.now += -((self.clock.now - moment) // tick) * tick
            self.look()
        self.clock.now = end

    def minutes(self, number: float) -> None:
        """Let so many minutes pass."""
        self.until(self.clock.now + timedelta(minutes=number))

    def next_moment(self) -> datetime:
        """Return the next moment at which a job may find something to do."""
        with self.around.database.read() as session:
            waiting = session.execute(
                select(Delivery.due_at, Delivery.lease_until, Delivery.created_at).where(
                    Delivery.state.in_(WAITING)
                )
            )
            moments = [at for row in waiting for at in (row[0], row[1], row[2] + _NEXT_WAY)]
            moments += session.scalars(select(Delivery.report_by))
            moments += session.scalars(select(Alert.acknowledged_until))
            ladders = session.execute(
                select(Alert.urgency, Alert.waiting_since).where(Alert.state == AlertState.OPEN)
            )
            moments += [self._next_step(urgency, since) for urgency, since in ladders]
        ahead = [at for at in moments if at is not None and at > self.clock.now]
        return min(ahead, default=datetime.max.replace(tzinfo=self.clock.now.tzinfo))

    def _next_step(self, urgency: AlertClass, since: datetime) -> datetime:
        step = _STEPS[urgency]
        return since + ((self.clock.now - since) // step + 1) * step

    def deliveries(self, alert_id: UUID | None = None) -> Sequence[Delivery]:
        """Return the deliveries of one alert, or of all; oldest first."""
        query = select(Delivery).where(Delivery.subject == DeliverySubject.ALERT)
        if alert_id is not None:
            query = query.where(Delivery.subject_id == alert_id)
        with self.around.database.read() as session:
            return list(session.scalars(query.order_by(Delivery.created_at, Delivery.id)))

    def pages(self) -> list[str]:
        """Return what operations were told of, oldest first."""
        query = select(Delivery.template).where(Delivery.subject == DeliverySubject.OPERATIONS)
        with self.around.database.read() as session:
            return list(session.scalars(query.order_by(Delivery.created_at, Delivery.id)))

    def told(self, alert_id: UUID) -> list[tuple[str, Channel]]:
        """Return who was written to about an alert, by name, and over which channel."""
        query = (
            select(Account.name, Delivery.channel)
            .join(Account, Account.id == Delivery.account_id)
            .where(Delivery.subject_id == alert_id)
        )
        with self.around.database.read() as session:
            return [
                (name, channel)
                for name, channel in session.execute(query.order_by(Delivery.created_at, Delivery.id))
            ]

    def kinds(self, alert_id: UUID) -> list[str]:
        """Return what the log of an alert says happened."""
        query = select(AlertEvent.kind).where(AlertEvent.alert_id == alert_id)
        with self.around.database.read() as session:
            return list(session.scalars(query.order_by(AlertEvent.number)))

    def the(self, alert_id: UUID) -> Alert:
        """Return the alert as it is."""
        with self.around.database.read() as session:
            return session.get_one(Alert, (self.cast.ana.clinic_id, alert_id))
