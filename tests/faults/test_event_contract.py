"""What is really sent to a webhook is what the contract says of it, member for member."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator

from jobs import deliver
from schemas.webhook_event import EVENTS
from server.clinical.vocabulary import AlertClass, Channel
from server.gateways.egress import Egress
from server.gateways.webhook import WebhookGateway
from server.settings import Settings
from tests.faults.ward import Ward
from tests.hooks import Listener, listening
from tests.visits import Visits


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A service that may write to this machine."""
    return replace(settings, allow_loopback_egress="yes")


@pytest.fixture
def ward(ward: Ward) -> Ward:
    """Ana's clinic with real webhooks."""
    ward.around.gateways[Channel.WEBHOOK] = WebhookGateway(Egress(allow_loopback=True))
    return ward


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """The contract as the app serves it."""
    served: dict[str, Any] = app.test_client().get("/v1/openapi.json").get_json()
    return served


def misfits(document: dict[str, Any], name: str, body: object) -> list[str]:
    """Return what of ``body`` the contract's webhook ``name`` does not know, or misses."""
    content = document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    checker = OAS31Validator.FORMAT_CHECKER
    return [error.message for error in OAS31Validator(schema, format_checker=checker).iter_errors(body)]


def said(listener: Listener) -> dict[str, Any]:
    """Return the newest body that came in, with the headers that the contract names."""
    request = listener.received[-1]
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= {
        one.lower() for one in request.headers
    }
    found: dict[str, Any] = json.loads(request.body)
    return found


def test_a_move_of_a_visit_and_a_test_are_what_the_contract_says(
    ward: Ward, visits: Visits, document: dict[str, Any]
) -> None:
    with listening(ward.cast) as listener:
        visits.approved()
        deliver.run(ward.around, ward.clock.now)
        assert misfits(document, "visit_suggestion", said(listener)) == []
        assert ward.cast.admin.post(f"{listener.path}/test").status_code == 202
        deliver.run(ward.around, ward.clock.now)
        assert misfits(document, "webhook.test", said(listener)) == []


def test_a_notice_to_one_of_the_staff_is_what_the_contract_says(ward: Ward, document: dict[str, Any]) -> None:
    with listening(ward.cast, ward.cast.bo, events=["alerts"]) as listener:
        ward.alert(AlertClass.P0)
        deliver.run(ward.around, ward.clock.now)
        assert misfits(document, "notice", said(listener)) == []


def test_the_examples_of_events_fit_and_another_member_does_not(document: dict[str, Any]) -> None:
    assert document["webhooks"].keys() == EVENTS.keys()
    for name, item in document["webhooks"].items():
        example = item["post"]["requestBody"]["content"]["application/json"]["example"]
        assert misfits(document, name, example) == []
        assert misfits(document, name, example | {"data": example["data"] | {"name": "Ana"}})
