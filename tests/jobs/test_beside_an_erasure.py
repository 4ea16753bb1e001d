"""Of somebody who leaves nobody is told, and nothing new is written: an erasure finds all there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, AlertFamily, DeliveryState, Role
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.services.alerts import alert as alerts
from server.services.alerts import episode as episodes
from server.services.alerts import escalation as escalations
from server.services.alerts.episode import Finding
from server.services.errors import NotFound
from server.services.messages.delivery_loss import NOT_NEEDED
from server.services.people import erasure as erasures
from server.services.people import invitation as invitations
from server.services.people import patient as patients
from server.services.people.invitation import Invitee
from server.services.visits import suggestion_draft as suggestion_drafts
from server.services.work import Work, system
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import deliveries
from tests.leaving import leaves
from tests.visits import Visits


@pytest.fixture
def ana(cast: Cast) -> UUID:
    """The patient who leaves."""
    assert cast.ana.patient_id is not None
    return cast.ana.patient_id


@pytest.fixture
def told(around: Around, cast: Cast, clock: Clock, ana: UUID) -> UUID:
    """An alert of theirs that is no emergency, about which somebody was told."""
    found = Finding(AlertFamily.MOOD_RELAPSE, AlertClass.P2, clock.now.date(), ("R1",), "It returns.")
    with working(around, cast, clock) as work:
        alert = episodes.raise_alert(work, patients.lock(work, ana), found)
        assert alert is not None
    return alert.id


@contextmanager
def working(around: Around, cast: Cast, clock: Clock) -> Iterator[Work]:
    """A transaction that has no patience."""
    with around.database.write(Extent.ALL) as session:
        if not around.database.is_sqlite:
            session.execute(text("SET LOCAL lock_timeout = 300"))
        yield Work(session, clock.now, system(cast.ana.clinic_id))


def test_nobody_is_told_of_an_alert_of_one_who_leaves(
    around: Around, cast: Cast, clock: Clock, ana: UUID, told: UUID
) -> None:
    with working(around, cast, clock) as work:
        erasures.run_out(work, ana)
    before = len(deliveries(around))
    assert escalate.run(around, clock.forward(days=30)) == 0
    with working(around, cast, clock) as work:
        assert escalations.due(work) == []
        assert not escalations.attend(work, told)
        escalations.lost(work, told)
        assert alerts.of_somebody_here(work, told) is None
    assert len(deliveries(around)) == before > 0


def test_a_message_about_an_alert_of_one_who_leaves_is_needed_no_more(
    around: Around, cast: Cast, clock: Clock, email: RecordingGateway, told: UUID
) -> None:
    waiting = [row for row in deliveries(around) if row.subject_id == told]
    assert {row.state for row in waiting} == {DeliveryState.QUEUED}
    leaves(cast)
    deliver.run(around, clock.forward(days=1))
    after = [row for row in deliveries(around) if row.subject_id == told]
    assert {(row.state, row.failure) for row in after} == {(DeliveryState.GIVEN_UP, NOT_NEEDED)}
    assert email.sent == []


def test_nobody_is_invited_for_one_who_leaves(around: Around, cast: Cast, clock: Clock, ana: UUID) -> None:
    with working(around, cast, clock) as work:
        erasures.run_out(work, ana)
    with working(around, cast, clock) as work, pytest.raises(NotFound):
        invitations.invite(work, Invitee(Role.PATIENT, "Ana", "ana@x.example", patient_id=ana))


@pytest.mark.usefixtures("several")
def test_an_erasure_waits_for_whoever_attends_to_an_alert_and_an_entry_does_not(
    around: Around, cast: Cast, clock: Clock, ana: UUID, told: UUID
) -> None:
    with working(around, cast, clock) as attending:
        assert alerts.of_somebody_here(attending, told) is not None
        with working(around, cast, clock) as entry:
            patients.lock(entry, ana)
        with pytest.raises(OperationalError, match="lock timeout"), working(around, cast, clock) as work:
            erasures.run_out(work, ana)


@pytest.mark.usefixtures("several")
def test_an_erasure_waits_for_whoever_invites(around: Around, cast: Cast, clock: Clock, ana: UUID) -> None:
    with working(around, cast, clock) as inviting:
        invitations.invite(inviting, Invitee(Role.PATIENT, "Ana", "ana@x.example", patient_id=ana))
        with pytest.raises(OperationalError, match="lock timeout"), working(around, cast, clock) as work:
            erasures.run_out(work, ana)


@pytest.mark.usefixtures("several")
def test_a_visit_is_not_proposed_after_a_withdrawal_that_came_in_between(
    around: Around, visits: Visits, cast: Cast, clock: Clock, ana: UUID
) -> None:
    visits.on_treatment()
    clock.forward(days=60)
    with working(around, cast, clock) as looking:
        patient = patients.get(looking, ana)
        with working(around, cast, clock) as work:
            patients.lock(work, ana).team_withdrawn_at = clock.now
        assert suggestion_drafts.suggest_maintenance(looking, patient) is None
    with working(around, cast, clock) as work:
        patients.lock(work, ana).team_withdrawn_at = None
    assert visits.maintenance() is not None, "it was due"
