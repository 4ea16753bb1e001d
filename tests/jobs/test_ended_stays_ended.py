"""What was withdrawn, signed out and closed after a backup is so after its restore, too."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from jobs import ending_list, erase, erasure_list
from jobs.around import Around
from jobs.problem import Problem
from schemas.scheduling_connection import ConnectionBody
from server.api.edge import EXTENSION
from server.clinical.vocabulary import CopyState, DeliveryState, Purpose
from server.database import Database
from server.isolation import Extent
from server.models import (
    Account,
    BreakGlass,
    Caregiver,
    Consent,
    Delivery,
    ExportLink,
    Invitation,
    Patient,
    Recovery,
    RefreshToken,
    SchedulingCopy,
    SignIn,
    Ticket,
)
from server.services.people import closing
from tests.cast import Cast, as_work, sign_in
from tests.conftest import NOON, Clock
from tests.consents import agree, caregiver, say
from tests.jobs.test_backup import elsewhere, here, made, put_back
from tests.visits import Visits

__all__ = ["elsewhere", "here"]
BO = {"role": "clinician", "name": "Gus", "email": "gus@clinic.example", "word": "tide"}


def served_from(app: Flask, database: Database) -> None:
    """Let the application answer from a database that was put back."""
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], database=database)


def test_after_a_restore_what_was_withdrawn_ended_and_closed_since_the_backup_is_still_so(
    app: Flask, here: Around, elsewhere: Database, tmp_path: Path, cast: Cast, clock: Clock
) -> None:
    agree(cast, Purpose.RESEARCH)
    cast.ana.post("/me/exports", {"formats": ["json"]})
    cast.admin.post("/clinic/invitations", BO)
    cast.admin.post(f"/patients/{cast.ana.patient_id}/break-glass", {"reason": "x"})
    app.test_client().post("/v1/recoveries", json={"clinic": "demo", "email": "bo@clinic.example"})
    phone = sign_in(app.test_client(), "demo", "Ana@home.example")
    made(here, tmp_path / "old")
    clock.forward(minutes=1)
    for purpose in (Purpose.RESEARCH, Purpose.CARE_TEAM):
        assert say(cast.ana, purpose, False).status_code == 200
    assert cast.ana.delete("/me/sign-ins").status_code == 204
    assert cast.admin.post(f"/clinic/accounts/{cast.coordinator.account_id}/disable").status_code == 204
    erase.run(here, clock.now)
    done = put_back(here, elsewhere, tmp_path / "old")
    assert "Withdrawn or closed again: 3, by the list of endings." in done.done
    served_from(app, elsewhere)
    assert cast.ana.get("/me").status_code == 401
    assert cast.bo.get("/me").status_code == 401, "also who had ended nothing"
    asked = {"refresh_token": phone["refresh_token"]}
    assert app.test_client().post("/v1/sign-ins/refresh", json=asked).status_code == 401
    closed = {"clinic": "demo", "email": "Dee@clinic.example", "password": "correct horse battery"}
    assert app.test_client().post("/v1/sign-ins", json=closed).status_code == 401
    with elsewhere.read(Extent.ALL) as session:
        said = select(Consent.given, Consent.at).where(Consent.purpose == Purpose.RESEARCH)
        assert session.execute(said.order_by(Consent.at)).all() == [(True, NOON), (False, clock.now)]
        for still_open in (
            SignIn.revoked_at.is_(None),
            RefreshToken.expires_at > NOON,
            ExportLink.revoked_at.is_(None),
            Invitation.cancelled_at.is_(None) & Invitation.used_at.is_(None),
            Recovery.looked_at.is_(None) | Recovery.used_at.is_(None),
            Ticket.used_at.is_(None),
            BreakGlass.expires_at > NOON,
        ):
            assert session.scalar(select(func.count()).where(still_open)) == 0, still_open
        assert session.scalar(select(func.count()).select_from(BreakGlass)) == 1


def test_what_was_ended_in_the_last_minute_before_everything_was_stopped_is_not_back(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast, clock: Clock
) -> None:
    made(here, tmp_path / "old")
    put_back(here, elsewhere, tmp_path / "old")
    with elsewhere.write(Extent.ALL) as session:
        dee = (cast.coordinator.clinic_id, cast.coordinator.account_id)
        session.get_one(Account, dee).disabled_at = clock.forward(seconds=30)
    # No job runs any more that would note it: whoever restores stops them first.
    done = put_back(here, elsewhere, tmp_path / "old", replace=True)
    assert "Withdrawn or closed again: 1, by the list of endings." in done.done
    with elsewhere.read(Extent.ALL) as session:
        assert session.get_one(Account, dee).disabled_at == clock.now


def test_a_database_of_another_version_that_can_not_be_asked_is_replaced_all_the_same(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    put_back(here, elsewhere, tmp_path / "old")
    with elsewhere.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consents RENAME COLUMN given TO agreed"))
    put_back(here, elsewhere, tmp_path / "old", replace=True)
    with elsewhere.read(Extent.ALL) as session:
        assert session.scalar(select(func.count()).where(Consent.given)) is not None


def test_after_a_restore_the_caregivers_of_a_patient_whose_account_was_closed_are_not_back(
    app: Flask, here: Around, elsewhere: Database, tmp_path: Path, cast: Cast, clock: Clock
) -> None:
    caregiver(cast)
    made(here, tmp_path / "old")
    clock.forward(minutes=1)
    assert cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/disable").status_code == 204
    erase.run(here, clock.now)
    put_back(here, elsewhere, tmp_path / "old")
    with elsewhere.read(Extent.ALL) as session:
        assert session.scalars(select(Caregiver.ended_at)).one() is not None


def test_what_the_patient_or_the_clinic_said_after_the_ending_and_before_the_backup_counts(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast, clock: Clock
) -> None:
    agree(cast, Purpose.RESEARCH)
    dee = f"/clinic/accounts/{cast.coordinator.account_id}"
    clock.forward(minutes=1)
    assert say(cast.ana, Purpose.RESEARCH, False).status_code == 200
    assert cast.admin.post(f"{dee}/disable").status_code == 204
    erase.run(here, clock.now)
    clock.forward(minutes=1)
    assert say(cast.ana, Purpose.RESEARCH, True, 1).status_code == 200
    assert cast.admin.post(f"{dee}/enable").status_code == 204
    made(here, tmp_path / "new")
    done = put_back(here, elsewhere, tmp_path / "new")
    assert "Withdrawn or closed again: 0, by the list of endings." in done.done


def test_an_ending_stands_in_the_list_once_and_says_ids_a_purpose_and_a_moment(
    around: Around, cast: Cast, clock: Clock
) -> None:
    agree(cast, Purpose.RESEARCH)
    for _ in range(2):
        say(cast.ana, Purpose.RESEARCH, False)
        erase.run(around, clock.now)
    file = ending_list.file_of(around.settings)
    _beginning, line = file.read_text().splitlines()
    assert json.loads(line) == {
        "clinic_id": str(cast.ana.clinic_id),
        "object_id": str(cast.ana.patient_id),
        "at": clock.now.isoformat(),
        "purpose": "research",
        "way": "app",
    }
    file.write_text("x\n")
    with pytest.raises(ending_list.Problem, match="Line 1"):
        ending_list.read(file)


def test_what_is_ended_is_noted_beside_a_damaged_list_of_erasures(
    here: Around, cast: Cast, clock: Clock, app: Flask
) -> None:
    agree(cast, Purpose.RESEARCH)
    erase.run(here, clock.now)
    with here.database.write() as session:
        closing.erase(as_work(app, cast.cyd, session), "Elsewhere")
    with erasure_list.file_of(here.settings).open("a", encoding="utf-8") as cut:
        cut.write("the sec")  # as a power cut leaves it
    assert say(cast.ana, Purpose.RESEARCH, False).status_code == 200
    with pytest.raises(Problem, match=r"^Line 2 of the list"):
        erase.run(here, clock.forward(minutes=1))
    noted = ending_list.read(ending_list.file_of(here.settings))
    assert Purpose.RESEARCH in {one.purpose for one in noted}


def test_what_a_clock_that_was_ahead_has_ended_keeps_nothing_after_it_out_of_the_list(
    here: Around, cast: Cast, clock: Clock
) -> None:
    for purpose in (Purpose.RESEARCH, Purpose.EXPORT):
        agree(cast, purpose)
    clock.forward(days=100)
    assert say(cast.ana, Purpose.RESEARCH, False).status_code == 200
    erase.run(here, clock.now)
    clock.forward(days=-99)
    assert say(cast.ana, Purpose.EXPORT, False).status_code == 200
    for _ in range(2):
        erase.run(here, clock.forward(minutes=1))
        listed = ending_list.read(ending_list.file_of(here.settings))
        assert sorted(str(one.purpose) for one in listed) == ["export", "research"]


def test_an_erasure_that_was_confirmed_since_the_backup_goes_on_after_its_restore(
    here: Around, elsewhere: Database, tmp_path: Path, visits: Visits, clock: Clock
) -> None:
    """Its rows still wait for the clinic's system to hear that a visit is withdrawn."""
    visits.approved()
    made(here, tmp_path / "old")
    clock.forward(minutes=1)
    path, admin = f"{visits.ana}/erasure", visits.cast.admin
    asked = admin.post(path, {"reason": "patient_asked"}).json
    assert admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=asked["version"]).status_code == 200
    for _ in range(2):
        assert erase.run(here, clock.now) == 0
    listed = ending_list.read(ending_list.file_of(here.settings))
    assert [one.object_id for one in listed if one.leaves] == [visits.cast.ana.patient_id]
    put_back(here, elsewhere, tmp_path / "old")
    there = replace(here, database=elsewhere)
    with elsewhere.read(Extent.ALL) as session:
        ana = select(Patient).where(Patient.id == visits.cast.ana.patient_id)
        assert session.scalars(ana).one().leaving_at is not None, "nobody of the staff finds her"
    assert erase.run(there, NOON + timedelta(hours=23)) == 0, "there is time to place a hold anew"
    assert erase.run(there, NOON + timedelta(hours=25)) == 1
    put_back(there, elsewhere, tmp_path / "old", replace=True)
    with elsewhere.read(Extent.ALL) as session:
        assert session.scalars(ana).all() == [], "once they are gone, the list of erasures says so"


@pytest.mark.long
@pytest.mark.parametrize("asked_before", [True, False])
def test_an_erasure_that_is_confirmed_again_waits_its_day_also_where_the_clinics_system_knows(
    here: Around, elsewhere: Database, tmp_path: Path, visits: Visits, clock: Clock, asked_before: bool
) -> None:
    path, admin = f"{visits.ana}/erasure", visits.cast.admin
    assert admin.post("/clinic/scheduling-connections", ConnectionBody.EXAMPLE).status_code == 201
    over = f"/booking-suggestions/{visits.approved()}/dismiss"
    assert visits.cast.bo.post(over, {"reason": "x"}, version=2).status_code == 200
    with here.database.write(Extent.ALL) as session:
        session.scalars(select(SchedulingCopy)).one().state = CopyState.SETTLED
        session.execute(update(Delivery).values(state=DeliveryState.DELIVERED))
    asked = admin.post(path, {"reason": "patient_asked"}).json if asked_before else None
    made(here, tmp_path / "old")
    clock.forward(minutes=1)
    asked = asked or admin.post(path, {"reason": "patient_asked"}).json
    assert admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=asked["version"]).status_code == 200
    ending_list.note(here.settings, here.database, clock.now)
    put_back(here, elsewhere, tmp_path / "old")
    there = replace(here, database=elsewhere)
    assert erase.run(there, NOON + timedelta(hours=23)) == 0, "there is time to place a hold anew"
    assert erase.run(there, NOON + timedelta(hours=25)) == 1
