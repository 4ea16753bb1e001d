"""Who plays in the tests, and the few things they do again and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.models import Account, Alert
from server.services import vault
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.work import Actor, Work, system

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody signed in: a client that sends their token."""

    client: FlaskClient
    token: str
    account_id: UUID
    clinic_id: UUID
    patient_id: UUID | None = None

    def send(self, method: str, path: str, body: Any = None, version: int | None = None) -> TestResponse:
        """Send a request as this person."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if version is not None:
            headers["If-Match"] = f'"v{version}"'
        answer = self.client.open(f"/v1{path}", method=method, json=body, headers=headers)
        if answer.status_code == 403 and answer.json["code"] == "step-up-required":
            # As an app does: prove again who one is, then ask again.
            self.client.post("/v1/sign-ins/step-up", json={"password": PASSWORD}, headers=headers)
            answer = self.client.open(f"/v1{path}", method=method, json=body, headers=headers)
        return answer

    def get(self, path: str) -> TestResponse:
        """Read ``path``."""
        return self.send("GET", path)

    def post(self, path: str, body: Any = None, version: int | None = None) -> TestResponse:
        """Post ``body`` to ``path``."""
        return self.send("POST", path, body, version)

    def put(self, path: str, body: Any, version: int | None = None) -> TestResponse:
        """Put ``body`` at ``path``."""
        return self.send("PUT", path, body, version)

    def patch(self, path: str, body: Any, version: int | None = None) -> TestResponse:
        """Change what is at ``path``."""
        return self.send("PATCH", path, body, version)

    def delete(self, path: str, version: int | None = None) -> TestResponse:
        """Delete what is at ``path``."""
        return self.send("DELETE", path, None, version)


@dataclass(frozen=True)
class Cast:
    """Ana's clinic (Bo, the coordinator, the admin, the scheduling system) and Cyd of another one."""

    ana: Person
    bo: Person
    coordinator: Person
    admin: Person
    scheduler: Person
    cyd: Person
    other_patient: Person


def found_clinic(app: Flask) -> Cast:
    """Make two clinics with their people and sign everybody in."""
    ours, theirs = uuid7(), uuid7()
    new_clinic(app, ours, "demo"), new_clinic(app, theirs, "elsewhere")
    bo = new_staff(app, ours, Role.CLINICIAN, "Bo")
    return Cast(
        ana=new_patient(app, ours, "Ana", bo.account_id),
        bo=bo,
        coordinator=new_staff(app, ours, Role.COORDINATOR, "Dee"),
        admin=new_staff(app, ours, Role.CLINIC_ADMIN, "Eli"),
        scheduler=new_staff(app, ours, Role.INTEGRATION, "Scheduling"),
        cyd=new_staff(app, theirs, Role.CLINICIAN, "Cyd"),
        other_patient=new_patient(app, theirs, "Fay", None),
    )


def entry(occurred_at: datetime, **parts: Any) -> dict[str, Any]:
    """Return a diary entry as a phone would send it; ``parts`` replace or add members."""
    body: Mapping[str, Any] = {
        "occurred_at": occurred_at.isoformat(),
        "zone": "Europe/Oslo",
        "items": {"mood": 7, "interest": 6, "anxiety": 2, "restlessness": 2, "sleep_quality": 7},
        "safety": "no",
    }
    return {**body, **parts}


def pushed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` as an item of a batch."""
    return {"id": str(uuid7()), "kind": kind, "action": "put", kind: body}


def push(who: Person, items: Sequence[Mapping[str, Any]]) -> None:
    """Let a phone send one batch, which stores all of it.

    What only lies before a test's own days comes in like this: an entry put alone judges every later
    day again, a batch judges each day once.
    """
    answer = who.post("/sync", {"items": items})
    assert [one["verdict"] for one in answer.json["results"]] == ["created"] * len(items), answer.text


def sign_in(client: FlaskClient, clinic: str, email: str, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in and return the tokens."""
    answer = client.post("/v1/sign-ins", json={"clinic": clinic, "email": email, "password": password})
    assert answer.status_code == 201, answer.text
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def new_clinic(app: Flask, clinic_id: UUID, slug: str) -> None:
    """Found a clinic."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(clinic_id))
        clinics.create(work, slug=slug, name=slug.title(), zone="Europe/Oslo", country="GB")


def new_staff(app: Flask, clinic_id: UUID, role: Role, name: str) -> Person:
    """Hire somebody and sign them in."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(clinic_id))
        account = _account(work, app, NewAccount(role, name, f"{name}@clinic.example", PASSWORD))
        slug = clinics.get(work).slug
    return _person(app, account, slug)


def new_patient(app: Flask, clinic_id: UUID, name: str, clinician_id: UUID | None) -> Person:
    """Enrol a patient and sign them in."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(clinic_id))
        details = {"name": name, "zone": "Europe/Oslo", "clinician_id": clinician_id}
        patient = patients.create(work, details)
        new = NewAccount(Role.PATIENT, name, f"{name}@home.example", PASSWORD, patient.id)
        account = _account(work, app, new)
        patient.enrolled_at = work.now
        slug = clinics.get(work).slug
    return _person(app, account, slug)


def _account(work: Work, app: Flask, new: NewAccount) -> Account:
    return accounts.create(work, new, Surroundings.of(app).passwords)


def _person(app: Flask, account: Account, slug: str) -> Person:
    client = app.test_client()
    token = sign_in(client, slug, account.email)["access_token"]
    return Person(client, token, account.id, account.clinic_id, account.patient_id)


def as_work(app: Flask, person: Person, session: Any) -> Work:
    """Return the work a service test does as ``person``."""
    around = Surroundings.of(app)
    actor = Actor(person.clinic_id, person.account_id, patient_id=person.patient_id)
    return Work(session, around.clock(), actor)


def opened_alerts(database: Database) -> list[Alert]:
    """Return every alert of every clinic, oldest first, with what it found opened."""
    with database.read(Extent.ALL) as session:
        found = list(session.scalars(select(Alert).order_by(Alert.opened_at, Alert.id)))
        for alert in found:
            vault.opened(Work(session, alert.opened_at, system(alert.clinic_id)), [alert])
        return found
