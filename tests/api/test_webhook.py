"""Webhooks are the clinic's: its admin registers them, and the secret is seen once."""

import json
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Flask

from server.api.edge import EXTENSION, Surroundings
from server.clinical.vocabulary import Role
from server.database import Database
from server.services.messages import contact_point as contact_points
from server.services.messages import webhook as webhooks
from tests.api.test_contact_point import shown, sms
from tests.cast import Cast, Person, as_work, new_staff
from tests.conftest import Clock

URL = "https://hooks.example.org/alerts?token=abcd"


def register(cast: Cast, who: Person, url: str = URL) -> Any:
    return cast.admin.post("/clinic/webhooks", {"account_id": str(who.account_id), "url": url})


def test_the_secret_is_shown_once_and_the_address_only_in_part(cast: Cast) -> None:
    made = register(cast, cast.scheduler)
    assert made.status_code == 201
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made.json["secret"])
    listed = cast.admin.get("/clinic/webhooks")
    (hook,) = listed.json["items"]
    assert (hook["host"], hook["address"]) == ("hooks.example.org", "…abcd")
    assert hook["account_id"] == str(cast.scheduler.account_id)
    assert "whsec_" not in listed.text
    assert "token" not in listed.text


def test_the_same_address_is_taken_once_an_account(cast: Cast) -> None:
    register(cast, cast.scheduler)
    assert register(cast, cast.scheduler).json["code"] == "webhook-known"
    assert register(cast, cast.bo).status_code == 201


def test_only_working_staff_and_systems_get_a_webhook(cast: Cast) -> None:
    for stranger in (cast.ana, cast.cyd):
        refused = register(cast, stranger)
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/account_id")


def test_rotating_keeps_the_old_secret_for_a_day(cast: Cast, clock: Clock, database: Database) -> None:
    made = register(cast, cast.scheduler).json
    clock.forward(days=3)
    hook, first = made["webhook"]["id"], made["secret"]
    second = cast.admin.post(f"/clinic/webhooks/{hook}/rotate").json["secret"]
    assert second != first
    assert _secrets(cast.admin, database, hook) == [second, first]
    clock.forward(hours=24)
    assert _secrets(cast.admin, database, hook) == [second]
    with database.write() as session:
        work = as_work(cast.admin.client.application, cast.admin, session)
        assert webhooks.drop_expired_secrets(work) == 1
        assert webhooks.drop_expired_secrets(work) == 0
    assert _secrets(cast.admin, database, hook) == [second]


def _secrets(who: Person, database: Database, hook: str) -> list[str]:
    with database.read() as session:
        work = as_work(who.client.application, who, session)
        found: list[str] = json.loads(contact_points.open_address(work, UUID(hook)))["secrets"]
        return found


def test_a_webhook_is_taken_away_by_the_admin_alone(cast: Cast, app: Flask) -> None:
    hook = register(cast, cast.bo).json["webhook"]["id"]
    sms(cast.bo)
    assert [channel for channel, _ in shown(cast.bo)] == ["webhook", "sms"]
    assert cast.bo.delete(f"/me/contact-points/{hook}").json["code"] == "clinics-webhook"
    for person in (cast.bo, cast.coordinator, cast.cyd, cast.ana, cast.scheduler):
        assert person.get("/clinic/webhooks").status_code == 403
        assert person.delete(f"/clinic/webhooks/{hook}").status_code == 403
        assert person.post(f"/clinic/webhooks/{hook}/rotate").status_code == 403
    their_admin = new_staff(app, cast.cyd.clinic_id, Role.CLINIC_ADMIN, "Gil")
    assert their_admin.delete(f"/clinic/webhooks/{hook}").status_code == 404
    assert their_admin.post(f"/clinic/webhooks/{hook}/rotate").status_code == 404
    assert cast.admin.delete(f"/clinic/webhooks/{hook}").status_code == 204
    assert cast.admin.delete(f"/clinic/webhooks/{hook}").status_code == 404
    assert cast.admin.post(f"/clinic/webhooks/{hook}/rotate").status_code == 404
    assert cast.admin.get("/clinic/webhooks").json["items"] == []
    assert register(cast, cast.bo).status_code == 201


def test_a_system_hears_of_visits_and_a_person_gets_their_messages_unless_it_is_said(cast: Cast) -> None:
    assert register(cast, cast.scheduler).json["webhook"]["events"] == ["visits"]
    made = register(cast, cast.bo).json["webhook"]
    assert made["events"] == ["alerts"]
    path = f"/clinic/webhooks/{made['id']}"
    for wanted in (["visits"], ["alerts", "visits"], ["alerts"]):
        assert cast.admin.patch(path, {"events": wanted[::-1]}).json["events"] == wanted
    assert cast.admin.patch(path.replace(made["id"][:8], "0" * 8), {"events": ["visits"]}).status_code == 404


def test_a_system_listens_to_no_alert_for_it_could_not_read_one(cast: Cast) -> None:
    made = register(cast, cast.scheduler).json["webhook"]
    body = {"account_id": made["account_id"], "url": f"{URL}2", "events": ["alerts", "visits"]}
    for refused in (
        cast.admin.post("/clinic/webhooks", body),
        cast.admin.patch(f"/clinic/webhooks/{made['id']}", {"events": ["alerts"]}),
    ):
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/events")


def test_this_machine_is_an_address_where_the_setting_says_so_and_nowhere_else(
    app: Flask, cast: Cast
) -> None:
    refused = register(cast, cast.bo, "http://127.0.0.1:9000/hook")
    assert (refused.status_code, refused.json["errors"]) == (
        *(422,),
        [{"pointer": "/url", "detail": "Must start with https://."}],
    )
    around = Surroundings.of(app)
    opened = replace(around.settings, allow_loopback_egress="yes")
    app.extensions[EXTENSION] = replace(around, settings=opened)
    assert register(cast, cast.bo, "http://127.0.0.1:9000/hook").status_code == 201
    assert register(cast, cast.bo, "http://10.0.0.7/hook").status_code == 422


def test_one_that_was_switched_off_is_used_again_and_one_in_use_stays_so(
    cast: Cast, clock: Clock, database: Database
) -> None:
    hook = register(cast, cast.bo).json["webhook"]["id"]
    path = f"/clinic/webhooks/{hook}/enable"
    with database.write() as session:
        contact_points.retire(session, cast.bo.clinic_id, UUID(hook), clock.now, "refused_500")
    (listed,) = cast.admin.get("/clinic/webhooks").json["items"]
    assert (listed["retired_why"], listed["retired_at"] is None) == ("refused_500", False)
    for _ in range(2):
        assert cast.admin.post(path).json["retired_at"] is None
    assert [channel for channel, _ in shown(cast.bo)] == ["webhook"]
    assert register(cast, cast.bo).json["code"] == "webhook-known"
    assert cast.admin.post(f"/clinic/webhooks/{hook}/rotate").status_code == 200


def test_what_another_webhook_has_taken_the_place_of_is_not_brought_back(
    cast: Cast, clock: Clock, database: Database
) -> None:
    hook = register(cast, cast.bo).json["webhook"]["id"]
    with database.write() as session:
        contact_points.retire(session, cast.bo.clinic_id, UUID(hook), clock.now, "gone")
    assert register(cast, cast.bo).status_code == 201
    assert cast.admin.post(f"/clinic/webhooks/{hook}/enable").json["code"] == "contact-point-known"
    assert cast.admin.delete(f"/clinic/webhooks/{hook}").status_code == 204
    assert cast.admin.post(f"/clinic/webhooks/{hook}/enable").status_code == 404
