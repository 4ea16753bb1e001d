"""What the tests of jobs do again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from uuid_utils.compat import uuid7

from jobs.around import Around
from server.models import Alert, AlertEvent, Delivery, Patient
from server.services.work import Work, system
from tests.cast import Cast, Person, entry, opened_alerts
from tests.conftest import Clock


@contextmanager
def working(around: Around, person: Person, now: datetime) -> Iterator[Work]:
    """Open a writing transaction for the clinic of ``person``."""
    with around.database.write() as session:
        yield Work(session, now, system(person.clinic_id))


def ana_raises_a_red_flag(cast: Cast, clock: Clock, safety: str = "plan") -> str:
    """Ana answers the safety question; return the id of the alert that opens."""
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety=safety))
    assert answer.status_code == 201, answer.text
    return answer.json["entry"]["id"]


def deliveries(around: Around) -> list[Delivery]:
    """Return every delivery, oldest first."""
    with around.database.read() as session:
        return list(session.query(Delivery).order_by(Delivery.created_at, Delivery.id))


def alerts(around: Around) -> list[Alert]:
    """Return every alert, oldest first."""
    return opened_alerts(around.database)


def kinds(around: Around, alert: Alert) -> list[str]:
    """Return what the log of ``alert`` says happened, in order."""
    with around.database.read() as session:
        events = session.query(AlertEvent).filter_by(alert_id=alert.id).order_by(AlertEvent.number)
        return [event.kind for event in events]


def patient_of(around: Around, person: Person) -> Patient:
    """Return the patient's row."""
    with around.database.read() as session:
        return session.get_one(Patient, (person.clinic_id, person.patient_id))
