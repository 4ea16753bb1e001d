"""Who writes about somebody who is being erased is refused, or waited for: nothing fails of it."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from jobs.around import Around
from server.clinical.vocabulary import Channel, Role
from server.isolation import Extent
from server.models import Account, ExportLink, RefreshToken, SignIn
from server.services.errors import NotFound, NotSignedIn
from server.services.journal import export_link as export_links
from server.services.messages import contact_point as contact_points
from server.services.people import account as accounts
from server.services.people import account_admin, break_glass, password_change, recovery, sign_in_refresh
from server.services.people import patient as patients
from server.services.people import sign_in as sign_ins
from server.services.people.secrets import fingerprint
from server.services.people.sign_in import Life
from server.services.visits import blood_pressure as blood_pressures
from server.services.visits import course as courses
from server.services.visits import precaution as precautions
from server.services.work import Actor, Work
from tests.cast import Cast, sign_in
from tests.conftest import Clock
from tests.jobs.leaving import Leaving
from tests.visits import COURSE, Visits

pytestmark = pytest.mark.usefixtures("several")

LIFE = Life(timedelta(days=30), timedelta(days=90))
NUMBER = "+4740000002"
Writing = Callable[[Work, UUID], object]
# What the care team writes about a patient without their lock.
WRITINGS: dict[str, Writing] = {
    "blood pressure": lambda work, ana: blood_pressures.create(work, ana, 120, 80, None),
    "precaution": lambda work, ana: precautions.create(work, ana, {"code": "pregnancy"}),
    "course": lambda work, ana: courses.create(work, ana, {**COURSE, "started_on": work.now.date()}),
    "break-glass": lambda work, ana: break_glass.open_record(work, ana, "Asked to look."),
}


@pytest.fixture
def ana(around: Around, clock: Clock, cast: Cast) -> Leaving:
    """Ana leaves."""
    return Leaving(around, clock, cast.ana)


@pytest.fixture
def bo(cast: Cast) -> Actor:
    """Bo, as he acts."""
    return Actor(cast.bo.clinic_id, cast.bo.account_id, Role.CLINICIAN)


@pytest.fixture
def herself(cast: Cast, around: Around) -> Actor:
    """Ana, as she acts."""
    with around.database.read(Extent.ALL) as session:
        query = select(SignIn.id).where(SignIn.account_id == cast.ana.account_id)
        sign_in_id = session.scalars(query.limit(1)).one()
    who = cast.ana
    return Actor(who.clinic_id, who.account_id, Role.PATIENT, who.patient_id, sign_in_id)


@pytest.mark.parametrize("what", WRITINGS)
@pytest.mark.parametrize("how_far", [Leaving.begin, Leaving.end])
def test_who_was_here_a_moment_ago_and_leaves_is_not_found_to_be_written_about(
    ana: Leaving, bo: Actor, what: str, how_far: Callable[[Leaving], None]
) -> None:
    with ana.beside(bo) as work:
        known = patients.get(work, ana.id)
        how_far(ana)
        with pytest.raises(NotFound):
            WRITINGS[what](work, known.id)


def test_the_course_of_one_who_leaves_is_not_found_to_be_changed(
    ana: Leaving, cast: Cast, visits: Visits
) -> None:
    path = f"{visits.ana}/courses/{visits.course()}"
    ana.begin()
    assert cast.bo.patch(path, {"phase": "taper"}, version=1).status_code == 404


def test_an_erasure_waits_for_the_care_team_and_an_entry_does_not(ana: Leaving, bo: Actor) -> None:
    with ana.beside(bo) as work:
        patients.get(work, ana.id, stays=True)
        with ana.beside() as entry:
            patients.lock(entry, ana.id)
        ana.waits()


def test_a_telephone_is_not_added_to_an_account_that_goes(ana: Leaving, herself: Actor) -> None:
    with ana.beside(herself) as work:
        account = accounts.get(work)
        ana.end()
        with pytest.raises(NotFound):
            contact_points.add(work, account.id, Channel.SMS, NUMBER)
    with ana.beside(herself) as work, pytest.raises(NotSignedIn):
        accounts.get(work)


def test_an_erasure_waits_for_a_telephone(ana: Leaving, herself: Actor) -> None:
    with ana.beside(herself) as work:
        contact_points.add(work, accounts.get(work).id, Channel.SMS, NUMBER)
        ana.waits()


def test_who_is_erased_while_they_refresh_is_signed_out(ana: Leaving, herself: Actor, app: Flask) -> None:
    token = sign_in(app.test_client(), "demo", "ana@home.example")["refresh_token"]
    with ana.beside(herself) as early, ana.beside(herself) as late:
        rows = [work.session.get_one(RefreshToken, fingerprint(token)) for work in (early, late)]
        opened = late.session.get_one(SignIn, (herself.clinic_id, rows[0].sign_in_id))
        account = accounts.get(late)
        ana.end()
        for work in (early, late):
            with pytest.raises(NotSignedIn):
                sign_in_refresh.refresh(work.session, token, work.now, LIFE)
        assert opened.account_id == account.id, "both are remembered"


def test_an_erasure_waits_for_a_refresh(ana: Leaving, herself: Actor, app: Flask) -> None:
    token = sign_in(app.test_client(), "demo", "ana@home.example")["refresh_token"]
    with ana.beside(herself) as work:
        assert sign_in_refresh.refresh(work.session, token, work.now, LIFE) is not None
        ana.waits()


def test_a_sign_in_that_goes_proves_nothing_again(ana: Leaving, herself: Actor) -> None:
    with ana.beside(herself) as work:
        known = work.session.get_one(SignIn, (herself.clinic_id, herself.sign_in_id))
        ana.end()
        with pytest.raises(NotSignedIn):
            sign_ins.step_up(work)
        assert known.revoked_at is None, "as it was read"


def test_an_account_that_was_closed_a_moment_ago_gets_no_other_password(ana: Leaving, herself: Actor) -> None:
    with ana.beside(herself) as work:
        known = accounts.get(work)
        ana.begin()
        with pytest.raises(NotSignedIn):
            password_change.change(work, known.password_hash, "another hash")


@pytest.mark.parametrize("do", [account_admin.disable, account_admin.enable])
def test_an_account_that_goes_is_not_found_to_be_closed_or_opened(
    ana: Leaving, cast: Cast, do: Callable[[Work, UUID], None]
) -> None:
    admin = Actor(cast.admin.clinic_id, cast.admin.account_id, Role.CLINIC_ADMIN)
    with ana.beside(admin) as work:
        known = work.session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id))
        patient = patients.get(work, ana.id)
        ana.begin()
        with pytest.raises(NotFound):
            do(work, known.id)
        assert patient.leaving_at is not None, "it was read anew"


def test_an_erasure_waits_for_who_writes_to_an_account_about_a_new_password(ana: Leaving) -> None:
    with ana.beside() as work:
        recovery.ask(work.session, work.now, "demo", "ana@home.example")
    with ana.beside() as work:
        assert recovery.look(work.session, work.now) == 1
        ana.waits()


def test_an_export_that_is_being_taken_is_still_there(ana: Leaving, cast: Cast, around: Around) -> None:
    assert cast.ana.post("/me/exports", {"formats": ["json"]}).status_code == 201
    with around.database.read(Extent.ALL) as session:
        link_id = session.scalars(select(ExportLink.id)).one()
    engine, asked = around.database.engine, list[str]()

    def before(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "FROM export_links" in statement and not asked.append(statement) and len(asked) == 2:
            with pytest.raises(OperationalError, match="lock timeout"):
                ana.end()

    event.listen(engine, "before_cursor_execute", before)
    with ana.beside() as work:
        assert export_links.take(work, link_id, "json").patient_id == ana.id
    event.remove(engine, "before_cursor_execute", before)
    assert len(asked) >= 2, "it was tried"
    ana.end()
    with ana.beside() as work, pytest.raises(NotFound):
        export_links.take(work, link_id, "json")
