"""Who invites sees what the patient does, or is done to themself, in the same moment: no way in is left."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.clinical.vocabulary import CareScope, ConsentWay, Purpose, Role
from server.database import Database
from server.isolation import Extent
from server.services.errors import NotSignedIn
from server.services.people import caregiver as caregivers
from server.services.people import consent_answer
from server.services.people import invitation as invitations
from server.services.people import staff_invitation as staff_invitations
from server.services.people.consent_answer import Answer
from server.services.people.invitation import Enrolment, Invitee
from tests.cast import PASSWORD, Cast, as_work, new_staff
from tests.conftest import Clock
from tests.consents import caregiver
from tests.jobs.test_enrolling_beside_an_end import somebody_waits

pytestmark = pytest.mark.usefixtures("several")
HAL = {"email": "hal@home.example", "word": "harbour"}


def test_whoever_invites_while_the_patient_enrols_is_shown_no_code_to_their_account(
    cast: Cast, app: Flask, database: Database, clock: Clock
) -> None:
    hal = cast.bo.post("/patients", {"name": "Hal", "zone": "Europe/Oslo"}).json["id"]
    path = f"/patients/{hal}/invitations"
    code = cast.bo.post(path, HAL).json["code"]
    coming = Enrolment(code=code, email=HAL["email"], proof=HAL["word"], password=PASSWORD)
    with ThreadPoolExecutor() as pool:
        with database.write(Extent.DOOR) as session:
            invitations.enrol(session, clock.now, coming, Surroundings.of(app).passwords)
            session.flush()
            again = pool.submit(cast.bo.post, path, HAL)
            somebody_waits(database.engine)
        answer = again.result()
    assert (answer.status_code, answer.json["code"]) == (201, None)


def test_whoever_would_move_an_account_while_its_patient_says_no_does_not(
    cast: Cast, app: Flask, database: Database
) -> None:
    assert cast.ana.patient_id is not None
    no = Answer(given=False, version=0, language=None, way=ConsentWay.APP)
    with ThreadPoolExecutor() as pool:
        with database.write() as session:
            work = as_work(app, cast.ana, session)
            consent_answer.record(work, cast.ana.patient_id, Purpose.CARE_TEAM, no)
            session.flush()
            moving = pool.submit(cast.bo.post, f"/patients/{cast.ana.patient_id}/invitations", HAL)
            somebody_waits(database.engine)
        assert moving.result().json["code"] == "consent-withdrawn"
    assert cast.bo.get(f"/patients/{cast.ana.patient_id}/invitations").json["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sign-ins", {"clinic": "demo", "email": "ana@home.example", "password": PASSWORD}),
        ("PUT", "/me/password", {"current_password": PASSWORD, "new_password": "my own four words"}),
        ("POST", "/me/consents/care_team", {"given": False}),
    ],
)
def test_what_ends_a_move_goes_on_where_the_clinic_takes_it_back_in_the_same_moment(
    cast: Cast, app: Flask, database: Database, method: str, path: str, body: dict[str, object]
) -> None:
    invitation = cast.bo.post(f"/patients/{cast.ana.patient_id}/invitations", HAL).json["id"]
    with ThreadPoolExecutor() as pool:
        with database.write() as session:
            invitations.cancel(as_work(app, cast.bo, session), UUID(invitation), cast.ana.patient_id)
            session.flush()
            hers = pool.submit(cast.ana.send, method, path, body)
            somebody_waits(database.engine)
        answer = hers.result()
    assert answer.status_code < 300, answer.text


def test_an_administrator_who_invites_while_they_are_shut_out_leaves_no_way_in(
    cast: Cast, app: Flask, database: Database
) -> None:
    leaving = new_staff(app, cast.admin.clinic_id, Role.CLINIC_ADMIN, "Max")
    again = Invitee(Role.CLINIC_ADMIN, "Max", "max@home.example", "tide")
    path = f"/clinic/accounts/{leaving.account_id}/disable"
    with ThreadPoolExecutor() as pool:
        with database.write() as session:
            staff_invitations.invite(as_work(app, leaving, session), again)
            session.flush()
            ending = pool.submit(cast.admin.post, path)
            somebody_waits(database.engine)
        assert ending.result().status_code == 204
    assert cast.admin.get("/clinic/invitations").json["items"] == []
    with database.write() as session, pytest.raises(NotSignedIn):
        staff_invitations.invite(as_work(app, leaving, session), again)


def test_whoever_holds_a_lost_phone_gives_nothing_back_that_is_being_taken(
    cast: Cast, app: Flask, database: Database, clock: Clock
) -> None:
    caregiver(cast, ["log", "read_trend", "read_journal"])
    assert cast.ana.patient_id is not None
    gus = UUID(cast.ana.get("/me/caregivers").json["items"][0]["id"])
    clock.forward(minutes=6)

    def asked() -> TestResponse:
        body, headers = {"scopes": ["log", "read_trend"]}, {"Authorization": f"Bearer {cast.ana.token}"}
        return app.test_client().patch(f"/v1/me/caregivers/{gus}", json=body, headers=headers)

    with ThreadPoolExecutor() as pool:
        with database.write() as session:
            work = as_work(app, cast.ana, session)
            caregivers.change_scopes(work, cast.ana.patient_id, gus, [CareScope.LOG])
            session.flush()
            more = pool.submit(asked)
            somebody_waits(database.engine)
        assert (more.result().status_code, more.result().get_json()["code"]) == (403, "step-up-required")
    assert cast.ana.get("/me/caregivers").json["items"][0]["scopes"] == ["log"]
