"""Saying yes and no: the few things that tests of consent do again and again."""

from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.clinical.vocabulary import Purpose
from server.isolation import Extent
from server.models import Delivery
from server.services.messages import delivery_address
from tests.cast import PASSWORD, Cast, Person

TEXT = {"en": {"title": "A title", "text": "What it is about."}}
WORD = "green gate"
GUS = {"name": "Gus", "email": "gus@home.example", "relation": "partner", "word": WORD}
EVERYTHING = ("log", "read_trend", "read_journal")


def publish(cast: Cast, purpose: Purpose, material: bool = True, text: str = "What it is about.") -> int:
    """Let the admin publish the next version of a text; return its number."""
    texts = {"en": {"title": "A title", "text": text}}
    body = {"texts": texts, "material": material}
    answer = cast.admin.post(f"/clinic/consent-texts/{purpose}", body)
    assert answer.status_code == 201, answer.text
    return int(answer.json["version"])


def say(who: Person, purpose: Purpose, given: bool, version: int = 0) -> TestResponse:
    """Let a patient say yes or no in the app."""
    return who.post(f"/me/consents/{purpose}", {"given": given, "version": version})


def agree(cast: Cast, purpose: Purpose) -> None:
    """Publish a text and let Ana agree to it."""
    answer = say(cast.ana, purpose, True, publish(cast, purpose))
    assert answer.status_code == 200, answer.text


def withdraw(cast: Cast, purpose: Purpose) -> None:
    """Let Ana say no."""
    assert say(cast.ana, purpose, False).status_code == 200


def of_purpose(answer: TestResponse, purpose: Purpose) -> dict[str, Any]:
    """Return what an answer says of one purpose."""
    return dict(next(one for one in answer.json["items"] if one["purpose"] == purpose))


def invited(cast: Cast, scopes: Sequence[str] = EVERYTHING) -> dict[str, Any]:
    """Let Ana agree to caregivers and invite Gus; return the answer with his code."""
    agree(cast, Purpose.CAREGIVER)
    answer = cast.ana.post("/me/caregivers", {**GUS, "scopes": list(scopes)})
    assert answer.status_code == 201, answer.text
    return {**answer.json, "code": mailed_code(cast.ana.client)}


def mailed_code(client: FlaskClient) -> str:
    """Return the code of an invitation that was written last to go out by e-mail, as the outbox has it."""
    with Surroundings.of(client.application).database.read(Extent.ALL) as session:
        query = select(Delivery).where(Delivery.sealed_secret.is_not(None)).order_by(Delivery.id.desc())
        row = session.scalars(query.limit(1)).one()
        code = delivery_address.secret_of(session, row.created_at, row)
        assert code is not None
        return code


def enrol(client: FlaskClient, code: str, email: str = GUS["email"], proof: str = WORD) -> TestResponse:
    """Enrol with a code and the word that went with it."""
    body = {"code": code, "email": email, "proof": proof, "password": PASSWORD}
    return client.post("/v1/enrolments", json=body)


def caregiver(cast: Cast, scopes: Sequence[str] = EVERYTHING) -> Person:
    """Let Gus be invited and come in; return him, signed in."""
    client = cast.ana.client
    answer = enrol(client, invited(cast, scopes)["code"])
    assert answer.status_code == 201, answer.text
    return Person(client, answer.json["access_token"], cast.ana.account_id, cast.ana.clinic_id)
