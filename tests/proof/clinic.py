"""The clinic of the proof: patients with a clinician each, their phones, and what is there in the end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from sqlalchemy import text
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.app import create_app
from server.clinical.vocabulary import Role
from server.database import Database
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import new_patient, new_staff
from tests.proof.history import History
from tests.proof.phone import Phone

# So many of three patients say what can't wait.
RED_OF_THREE = 2

QUERIES = {
    "entries": "SELECT id, patient_id, version, sequence FROM entries WHERE clinic_id = :clinic",
    "revisions": "SELECT entry_id FROM entry_revisions WHERE clinic_id = :clinic",
    "patients": "SELECT id, change_counter FROM patients WHERE clinic_id = :clinic",
    "alerts": "SELECT id, patient_id FROM alerts WHERE clinic_id = :clinic",
    "deliveries": "SELECT id, subject, subject_id, account_id, channel, state, failure, bundle_id, template"
    " FROM deliveries",
    "job_runs": "SELECT job, slot FROM job_runs",
}
WAITING = text("SELECT count(*) FROM deliveries WHERE state IN ('queued', 'claimed', 'sent')")


def open_clinic(settings: Settings, number: int, ports: Sequence[int], history: History) -> list[Phone]:
    """Make the clinic with ``number`` patients and return their phones, signed in."""
    app, clinic_id = create_app(replace(settings, password_cost="cheap")), uuid7()
    database = Surroundings.of(app).database
    with database.write() as session:
        work = Work(session, datetime.now(UTC), system(clinic_id))
        clinics.create(work, slug="proof", name="Proof", zone="Europe/Oslo", country="GB")
    phones = []
    for n in range(number):
        doctor = new_staff(app, clinic_id, Role.CLINICIAN, f"doc{n}")
        who = new_patient(app, clinic_id, f"p{n}", doctor.account_id)
        random = Random(f"{history.seed} {n}")
        phones.append(Phone(str(who.patient_id), who.token, ports, history, random, n % 3 < RED_OF_THREE))
    database.close()
    return phones


def end_state(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return what is there, table by table."""
    with database.engine.begin() as connection:
        clinic = connection.scalar(text("SELECT id FROM clinics WHERE slug = 'proof'"))
        return {
            name: [dict(row) for row in connection.execute(text(query), {"clinic": clinic}).mappings()]
            for name, query in QUERIES.items()
        }


def waiting(database: Database) -> int:
    """Return how many messages are not sent yet."""
    with database.engine.begin() as connection:
        return connection.execute(WAITING).scalar_one()
