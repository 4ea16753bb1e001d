"""What somebody who had an account has left behind ends when its owner takes it back."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from jobs import deliver, recover
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.models import SignIn
from server.services.errors import NotSignedIn
from server.services.messages import contact_point as contact_points
from server.settings import Settings
from tests.api.test_contact_point import ENDPOINT, KEYS, push, shown, sms
from tests.cast import PASSWORD, Cast, Person, as_work, sign_in
from tests.conftest import Clock
from tests.consents import WORD, enrol, invited

NEW = "another four words"
ANA, ADMIN = "ana@home.example", "Eli@clinic.example"


@pytest.fixture
def email() -> RecordingGateway:
    """The mail server."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """What the jobs work with."""
    return Around(database, settings, {Channel.EMAIL: email, Channel.SMS: RecordingGateway(Channel.SMS)})


def mails(around: Around, email: RecordingGateway, clock: Clock) -> list[tuple[str, str]]:
    """Let what waits go out; return to whom what was written."""
    email.sent.clear()
    deliver.run(around, clock.now)
    return [(one.to, one.kind.removeprefix("notice.")) for one in email.sent]


def taken_back(
    client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock, address: str = ANA
) -> None:
    """Let the owner choose a new password by the link in their mailbox."""
    client.post("/v1/recoveries", json={"clinic": "demo", "email": address})
    recover.run(around, clock.now)
    mails(around, email, clock)
    (link,) = [one.link for one in email.sent if one.kind == "notice.password_recovery"]
    body = {"code": link.partition("#")[2], "password": NEW}
    assert client.post("/v1/recoveries/redeem", json=body).status_code == 204


def again(who: Person, password: str = NEW) -> Person:
    """Return Ana, who signs in once more."""
    return replace(who, token=sign_in(who.client, "demo", ANA, password)["access_token"])


def test_who_takes_an_account_back_takes_it_from_the_phones_that_had_it(
    cast: Cast, client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    push(cast.ana), sms(cast.ana)
    taken_back(client, around, email, clock)
    ana = again(cast.ana)
    assert shown(ana) == [("sms", "…0001")]
    assert push(ana).status_code == 201, "her own phone comes in again at its next start"
    assert shown(ana) == [("sms", "…0001"), ("push", "…cdef")]


def all_end(cast: Cast) -> Any:
    return cast.ana.delete("/me/sign-ins")


def care_team(cast: Cast) -> Any:
    return cast.bo.delete(f"/patients/{cast.ana.patient_id}/sign-ins")


def other_password(cast: Cast) -> Any:
    return cast.ana.put("/me/password", {"current_password": PASSWORD, "new_password": NEW})


def closed(cast: Cast) -> Any:
    cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/disable")
    return cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/enable")


@pytest.mark.parametrize("end", [all_end, care_team, other_password, closed])
def test_a_phone_that_is_signed_out_from_afar_hears_nothing_more(cast: Cast, end: Any) -> None:
    push(cast.ana), push(cast.bo, f"{ENDPOINT}-of-bo")
    assert end(cast).status_code == 204
    ana = again(cast.ana, NEW if end is other_password else PASSWORD)
    assert shown(ana) == []
    assert shown(cast.bo) == [("push", "…f-bo")], "nobody else's"


def test_a_phone_that_registers_itself_while_its_sign_in_ends_is_not_left_behind(
    app: Flask, cast: Cast, around: Around
) -> None:
    with around.database.read(Extent.ALL) as session:
        mine = select(SignIn.id).where(SignIn.account_id == cast.ana.account_id)
        sign_in_id = session.scalars(mine).one()
    cast.ana.delete("/me/sign-ins")
    subscription = {"endpoint": ENDPOINT, "keys": KEYS}
    # Its request was let in a moment before.
    with around.database.write() as session:
        work = as_work(app, cast.ana, session)
        late = replace(work, actor=replace(work.actor, sign_in_id=sign_in_id))
        with pytest.raises(NotSignedIn):
            contact_points.add(late, cast.ana.account_id, Channel.PUSH, json.dumps(subscription))
    assert shown(again(cast.ana, PASSWORD)) == []


def test_an_invited_patient_comes_back_without_the_phones_from_before(
    cast: Cast, client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    push(cast.ana)
    gus = invited(cast)["code"]
    mails(around, email, clock)
    cast.bo.post(f"/patients/{cast.ana.patient_id}/invitations", {"email": ANA, "word": WORD})
    assert mails(around, email, clock) == [(ANA, "invitation_code")]
    code = email.sent[0].link.partition("#")[2]
    back = {"code": code, "proof": WORD, "email": ANA, "password": NEW}
    assert client.post("/v1/enrolments", json=back).status_code == 201
    ana = again(cast.ana)
    assert shown(ana) == []
    assert enrol(client, gus).status_code == 401


def test_whom_somebody_else_has_invited_to_the_diary_does_not_come_in_any_more(
    cast: Cast, client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    code = invited(cast)["code"]
    taken_back(client, around, email, clock)
    assert enrol(client, code).status_code == 401
    (gus,) = again(cast.ana).get("/me/caregivers").json["items"]
    assert gus["ended_at"] is not None


def test_whom_somebody_else_has_invited_to_the_staff_does_not_come_in_any_more(
    cast: Cast, client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    body = {"name": "Max", "email": "max@clinic.example", "role": "clinician", "word": WORD}
    made = cast.admin.post("/clinic/invitations", body)
    assert made.status_code == 201
    taken_back(client, around, email, clock, ADMIN)
    assert enrol(client, made.json["code"], "max@clinic.example").status_code == 401


def test_a_link_that_was_used_ends_what_would_move_the_account(
    cast: Cast, client: FlaskClient, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    path = f"/patients/{cast.ana.patient_id}/invitations"
    assert cast.bo.post(path, {"email": "ana@new.example", "word": WORD}).status_code == 201
    taken_back(client, around, email, clock)
    assert cast.bo.get(path).json["items"] == []


def test_a_telephone_in_front_keeps_no_word_of_a_change_from_the_owners_mailbox(
    app: Flask, cast: Cast, around: Around, email: RecordingGateway, clock: Clock
) -> None:
    with around.database.write() as session:
        work = as_work(app, cast.ana, session)
        contact_points.add(work, cast.ana.account_id, Channel.SMS, "+4740000001")
    assert other_password(cast).status_code == 204
    assert (ANA, "sign_in_changed") in mails(around, email, clock)
