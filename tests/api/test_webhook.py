"""Webhooks are the clinic's: its admin registers them, and the secret is seen once."""

import json
import re
from typing import Any
from uuid import UUID

from flask import Flask

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
