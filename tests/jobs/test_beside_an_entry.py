"""Who attends to an alert and who writes that patient's diary don't wait for each other in a circle."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.around import Around
from server.clinical.vocabulary import AlertFamily, Role
from server.isolation import Extent
from server.models import Alert, AlertEvent
from server.services.alerts import alert_handling
from server.services.alerts import episode as episodes
from server.services.people import patient as patients
from server.services.work import Actor, Work, system
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag


@pytest.fixture
def written(cast: Cast, clock: Clock, around: Around) -> Iterator[Session]:
    """A transaction that writes the diary of a patient with an alert."""
    if around.database.is_sqlite:
        pytest.skip("one writer at a time")
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        _lock(session, cast, clock)
        yield session


@contextmanager
def beside(around: Around) -> Iterator[Session]:
    """Another transaction, which has no patience."""
    with around.database.write(Extent.ALL) as session:
        session.execute(text("SET LOCAL lock_timeout = 300"))
        yield session


def _lock(session: Session, cast: Cast, clock: Clock) -> None:
    patients.lock(Work(session, clock.now, system(cast.ana.clinic_id)), _id(cast))


def _id(cast: Cast) -> UUID:
    assert cast.ana.patient_id is not None
    return cast.ana.patient_id


@pytest.mark.usefixtures("written")
def test_an_alert_is_changed_twice_beside_an_entry(around: Around) -> None:
    """PostgreSQL looks at the patient's key with the second change of a transaction."""
    with beside(around) as other:
        alert = other.scalars(select(Alert)).one()
        for _ in range(2):
            alert.version += 1
            other.flush()


def test_what_happened_to_an_alert_is_noted_beside_an_entry_that_adds_to_it(
    around: Around, written: Session, cast: Cast, clock: Clock
) -> None:
    work = Work(written, clock.now, system(cast.ana.clinic_id))
    (alert,) = episodes.open_episodes(work, _id(cast), (AlertFamily.SAFETY,))
    with beside(around) as other:
        key = {"clinic_id": alert.clinic_id, "alert_id": alert.id, "number": 99}
        other.add(AlertEvent(**key, kind="told", at=clock.now))


@pytest.mark.usefixtures("written")
def test_a_second_entry_waits_for_the_first(around: Around, cast: Cast, clock: Clock) -> None:
    with pytest.raises(OperationalError, match="lock timeout"), beside(around) as other:
        _lock(other, cast, clock)


@pytest.mark.usefixtures("several")
def test_a_closed_alert_that_is_opened_again_waits_for_what_is_reported_in_this_moment(
    around: Around, cast: Cast, clock: Clock
) -> None:
    """Else one of the two would fail: of one kind there is one open alert. The entry may be the emergency."""
    ana_raises_a_red_flag(cast, clock)
    (alert,) = alerts(around)
    body = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert.id}/resolve", body, alert.version).status_code == 200
    bo = Actor(cast.bo.clinic_id, cast.bo.account_id, Role.CLINICIAN)
    with around.database.write() as session:
        _lock(session, cast, clock)
        with pytest.raises(OperationalError, match="lock timeout"), beside(around) as other:
            alert_handling.reopen(Work(other, clock.now, bo), alert.id, "The wrong one.", alert.version + 1)
    with around.database.write() as session:
        alert_handling.reopen(Work(session, clock.now, bo), alert.id, "The wrong one.", alert.version + 1)
        with pytest.raises(OperationalError, match="lock timeout"), beside(around) as other:
            _lock(other, cast, clock)
