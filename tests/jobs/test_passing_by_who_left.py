"""A job that finds somebody gone whom it was about to look at goes on with the others: it is no failure."""

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import policy_replay, research_export
from jobs.around import Around
from jobs.looking import look_at_clinic
from server.clinical.maintenance import Chance
from server.clinical.vocabulary import Purpose, Role
from server.isolation import Extent
from server.models import PolicyReplay, PolicyReplayPatient
from server.services.visits import unseen_visit as unseen_visits
from server.services.watch import policy_replay_run as runs
from server.services.work import Actor
from tests.cast import Cast, new_patient
from tests.conftest import Clock
from tests.consents import agree
from tests.jobs.leaving import Leaving
from tests.jobs.test_maintenance_due import is_treated
from tests.visits import Visits


@pytest.fixture
def ana(around: Around, clock: Clock, cast: Cast) -> Leaving:
    """Ana leaves."""
    return Leaving(around, clock, cast.ana)


def test_nobody_is_told_of_an_unseen_visit(ana: Leaving, visits: Visits, clock: Clock) -> None:
    visits.approved()
    clock.forward(hours=26)
    with ana.beside() as work:
        (found,) = unseen_visits.due(work)
    ana.end()
    with ana.beside() as work:
        assert unseen_visits.tell(work, found) == 0


@pytest.mark.long
def test_a_replay_keeps_nothing_of_them(ana: Leaving, cast: Cast, visits: Visits) -> None:
    visits.log(2)
    assert cast.bo.post("/clinic/policy-replays", {"values": {"relapse.enter_days": 7}}).status_code == 202
    bo = Actor(cast.bo.clinic_id, cast.bo.account_id, Role.CLINICIAN)
    with ana.beside(bo) as work:
        taken = runs.take(work, policy_replay.LEASE)
        assert taken is not None
    with ana.beside(bo) as work:
        (read,) = runs.next_slice(work, taken, 10, policy_replay.LEASE) or ()
    ana.end()
    found = runs.Outcome(UUID(read.patient_id), True, {"arms": {}})
    with ana.beside(bo) as work:
        assert runs.keep(work, taken, found.patient_id, [found], 1)
    with ana.around.database.read(Extent.ALL) as session:
        assert session.scalars(select(PolicyReplay.done)).one() == 1
        assert not session.scalars(select(PolicyReplayPatient)).all()


def test_no_visit_is_looked_for(around: Around, cast: Cast, clock: Clock, app: Flask) -> None:
    una = new_patient(app, cast.ana.clinic_id, "Una", None)
    for one in (cast.ana, una):
        is_treated(around, one, clock)
    looking = look_at_clinic(around, clock.forward(days=8), cast.ana.clinic_id, Chance.BY_PLAN)
    assert next(looking) == 1
    Leaving(around, clock, una).end()
    assert list(looking) == [0], "no failure"


def test_a_file_for_research_goes_on(ana: Leaving, cast: Cast, clock: Clock) -> None:
    agree(cast, Purpose.RESEARCH)
    running = research_export.lines(ana.around.database, "demo", clock.now + timedelta(hours=1))
    next(running)
    ana.end()
    assert list(running) == []
