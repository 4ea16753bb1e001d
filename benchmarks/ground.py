"""The ground a benchmark stands on: a clinic, one patient, a session and days of diary."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Condition, Phase, Role, Route, SessionStatus, Source
from server.database import Database
from server.migrations import upgrade
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Work, system
from server.settings import Settings, master_keys

PASSWORD = "benchmark password"


def prepare(folder: Path, days: int, between: int | None = None) -> None:
    """Make the database in ``folder``: Ana with an entry a day since a session ``days`` ago.

    ``between``: days from that session to the next one, and so on; None for that one alone.
    """
    settings = Settings(data_dir=folder)
    database = Database(settings.sqlalchemy_url, master_keys(settings))
    upgrade(database)
    clinic, now = uuid7(), datetime.now(UTC)
    with database.write() as session:
        work = Work(session, now, system(clinic))
        clinics.create(work, slug="bench", name="Bench", zone="Europe/Oslo", country="GB")
        patient = patients.create(work, {"name": "Ana", "zone": "Europe/Oslo"})
        new = NewAccount(Role.PATIENT, "Ana", "ana@bench.example", PASSWORD, patient.id)
        accounts.create(work, new, Passwords())
        treat(work, patient.id, [now - timedelta(days=back) for back in range(days, 0, -(between or days))])
    random = Random(2)
    for back in range(days, 0, -1):
        felt = now - timedelta(days=back)
        with database.write() as session:
            entries.put(Work(session, felt, system(clinic)), patient.id, entry_of(felt, random))
    database.close()


def new_entry(random: Random, felt: datetime | None = None) -> dict[str, Any]:
    """Return an entry of a good day, felt at ``felt`` or within the last minute."""
    items = {key: random.randint(1, 4) for key in ("anxiety", "restlessness", "irritability")}
    items |= {key: random.randint(6, 9) for key in ("mood", "interest", "sleep_quality")}
    felt = felt or datetime.now(UTC) - timedelta(seconds=random.randint(1, 60))
    return {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": items, "safety": "no"}


def treat(work: Work, patient_id: UUID, moments: Sequence[datetime]) -> None:
    """Give the patient a course with a delivered session at each of ``moments`` (at least one)."""
    course = courses.create(
        work,
        patient_id,
        {
            "route": Route.INTRAVENOUS,
            "condition": Condition.DEPRESSION,
            "phase": Phase.MAINTENANCE,
            "started_on": moments[0].date(),
            "min_interval_days": 7,
            "max_interval_days": 120,
        },
    )
    for at in moments:
        session = {"course_id": course.id, "status": SessionStatus.DELIVERED, "at": at}
        treatment_sessions.create(work, patient_id, session)


def entry_of(felt: datetime, random: Random) -> Incoming:
    """Return an entry of a good day."""
    items = {"mood": 7, "interest": 7, "anxiety": random.randint(1, 4), "restlessness": 2, "irritability": 2}
    content = {
        "occurred_at": felt,
        "zone": "Europe/Oslo",
        "items": {**items, "sleep_quality": random.randint(6, 9)},
        "side_effects": {},
        "medication": {},
        "tags": [],
    }
    return Incoming(uuid7(), content, source=Source.IMPORT)
