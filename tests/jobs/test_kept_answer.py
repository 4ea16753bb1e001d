"""What was answered is forgotten after a day, and with the patient whom it was about."""

from jobs import erase, retention
from jobs.around import Around
from server.database import Database
from tests.api.test_kept_answer import kept, send
from tests.cast import Cast, Person, sign_in
from tests.conftest import Clock
from tests.leaving import leaves
from tests.visits import Visits


def test_after_a_day_a_key_is_new_and_the_nightly_job_forgets_what_was_said(
    cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    body = {"name": "Gil", "zone": "Europe/Oslo"}
    first = send(cast.bo, "/patients", body).json["id"]
    clock.forward(hours=23)
    retention.run(around, clock.now)
    bo = again(cast.bo)
    assert send(bo, "/patients", body).json["id"] == first
    clock.forward(hours=1)
    assert send(again(cast.bo), "/patients", body).json["id"] != first
    assert len(kept(database)) == 1
    retention.run(around, clock.forward(hours=25))
    assert kept(database) == []


def again(who: Person) -> Person:
    """Return ``who`` signed in anew: a token lasts for minutes."""
    token = sign_in(who.client, "demo", "Bo@clinic.example")["access_token"]
    return Person(who.client, token, who.account_id, who.clinic_id)


def test_what_is_kept_of_a_patient_goes_with_them_and_is_found_no_more_while_they_leave(
    cast: Cast, visits: Visits, around: Around, clock: Clock, database: Database
) -> None:
    gil = send(cast.bo, "/patients", {"name": "Gil", "zone": "Europe/Oslo"}, "key-of-gil").json["id"]
    path, body = f"{visits.ana}/precautions", {"code": "pregnancy"}
    assert send(cast.bo, path, body).status_code == 201
    assert {str(row["patient_id"]) for row in kept(database)} == {gil, str(cast.ana.patient_id)}
    leaves(cast)
    assert send(cast.bo, path, body).status_code == 404
    holds, reason = f"{visits.ana}/legal-holds", {"reason": "A court asks."}
    held = [send(cast.admin, holds, reason) for _ in range(2)]
    assert ({one.status_code for one in held}, held[0].json) == ({201}, held[1].json)
    released = f"{holds}/{held[0].json['id']}/release"
    assert cast.admin.post(released, version=1).status_code == 200
    erase.run(around, clock.forward(days=8))
    assert [str(row["patient_id"]) for row in kept(database)] == [gil]
