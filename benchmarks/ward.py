"""A clinic of many patients with a past, made in seconds: one lives it through the services, others copy it.

Copies have ids of their own. What is sealed in them does not open, for it is bound to its row: a note here
can't be read, and none of the benchmarks reads one.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast
from uuid import UUID

import jwt
from sqlalchemy import Table, insert, select
from uuid_utils.compat import uuid7

from benchmarks.ground import entry_of, treat
from benchmarks.serving import JWT_KEY
from server.api import tokens
from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.models import (
    Account,
    Activation,
    Assessment,
    CheckInPlan,
    Course,
    Entry,
    EntryRevision,
    Patient,
    SignIn,
    TreatmentSession,
    WatchMove,
)
from server.services.journal import planning
from server.services.journal.journal import open_journal
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.watch import assessment as assessments
from server.services.work import Work, system

# In the order of their foreign keys.
_COPIED = (
    Patient,
    CheckInPlan,
    Course,
    TreatmentSession,
    Entry,
    EntryRevision,
    Assessment,
    Activation,
    WatchMove,
)
_AT_ONCE = 30  # entries of one transaction while the past is lived
SLICE = 100  # patients of one transaction while it is copied


@dataclass(frozen=True)
class Person:
    """Somebody who can send requests."""

    account_id: UUID
    patient_id: UUID | None
    token: str


@dataclass(frozen=True)
class Ward:
    """A clinic, its patients with a past, and a clinician."""

    clinic_id: UUID
    patients: Sequence[Person]
    clinician: Person


def ward(database: Database, patients: int, days: int, between: int | None = None) -> Ward:
    """Make a clinic of ``patients`` who logged once a day for ``days`` since a session.

    ``between``: days from that session to the next one, and so on; None: that one alone.
    """
    clinic_id, now = uuid7(), datetime.now(UTC)
    with database.write() as session:
        work = Work(session, now, system(clinic_id))
        clinics.create(
            work, slug=f"bench-{clinic_id.hex[-8:]}", name="Bench", zone="Europe/Oslo", country="GB"
        )
    first = live(database, clinic_id, now, days, between)
    rows = _rows_of(database, first)
    ids = [first, *(_copies(database, rows, patients - 1))]
    people = list(accounts(database, clinic_id, ids, Role.PATIENT))
    (clinician,) = accounts(database, clinic_id, [None], Role.CLINICIAN)
    if not database.is_sqlite:
        _vacuum(database)
    return Ward(clinic_id, people, clinician)


def _vacuum(database: Database) -> None:
    # Past what the house does around every transaction, for this is none.
    with closing(database.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        driver.autocommit = True
        driver.execute("VACUUM ANALYZE")
        connection.invalidate()


def live(database: Database, clinic_id: UUID, now: datetime, days: int, between: int | None = None) -> UUID:
    """Let one patient live ``days`` up to yesterday, through the services; return their id."""
    random = Random(2)
    with database.write() as session:
        work = Work(session, now, system(clinic_id))
        patient = patients.create(work, {"name": "Ana", "zone": "Europe/Oslo"})
        patient_id, patient.enrolled_at = patient.id, now - timedelta(days=days)
        planning.replan(work, patient)
        treat(work, patient_id, [now - timedelta(days=back) for back in range(days, 0, -(between or days))])
    backs = list(range(days, 0, -1))
    for start in range(0, days, _AT_ONCE):
        part = backs[start : start + _AT_ONCE]
        with database.write() as session:
            work = Work(session, now - timedelta(days=part[-1]), system(clinic_id))
            journal = open_journal(work, patient_id, [])
            felt = [now - timedelta(days=back) for back in part]
            touched = [journal.store(entry_of(at, random)).touched for at in felt]
            journal.write()
            assessments.reassess(work, journal.patient, frozenset().union(*touched))
    return patient_id


def _rows_of(database: Database, patient_id: UUID) -> Mapping[Table, list[dict[str, Any]]]:
    found = {}
    with database.read(Extent.ALL) as session:
        for table in (cast(Table, model.__table__) for model in _COPIED):
            owner = table.c.id if table is Patient.__table__ else table.c.patient_id
            rows = session.connection().execute(select(table).where(owner == patient_id))
            found[table] = [dict(row) for row in rows.mappings()]
    return found


def _copies(database: Database, rows: Mapping[Table, list[dict[str, Any]]], number: int) -> Iterator[UUID]:
    for start in range(0, number, SLICE):
        ids = [uuid7() for _ in range(min(SLICE, number - start))]
        made = [_copy(rows, patient_id) for patient_id in ids]
        with database.write(Extent.ALL) as session:
            connection = session.connection()
            for table in rows:
                if found := [row for one in made for row in one[table]]:
                    connection.execute(insert(table), found)
        yield from ids


def _copy(
    rows: Mapping[Table, list[dict[str, Any]]], patient_id: UUID
) -> Mapping[Table, list[dict[str, Any]]]:
    """Return the rows with new ids in the place of old ones, the same one wherever it stands."""
    new: dict[UUID, UUID] = {}
    found = {}
    for table, olds in rows.items():
        mine = "id" if table is Patient.__table__ else "patient_id"
        fresh = {"id", "entry_id", "course_id"} & {*table.c.keys()} - {mine}
        found[table] = [
            {**row, mine: patient_id, **{name: new.setdefault(row[name], uuid7()) for name in fresh}}
            for row in olds
        ]
    return found


def accounts(database: Database, clinic_id: UUID, ids: Sequence[UUID | None], role: Role) -> Iterator[Person]:
    now, rows, sign_ins = datetime.now(UTC), [], []
    for patient_id in ids:
        key = {"clinic_id": clinic_id, "id": uuid7(), "created_at": now}
        name = {"role": role, "name": "Ana", "email": f"{key['id']}@bench.example", "password_hash": "-"}
        rows.append({**key, **name, "patient_id": patient_id, "factor_tries": 0})
        proof = {"last_used_at": now, "authenticated_at": now, "awaits_factor": False}
        sign_ins.append({**key, **proof, "id": uuid7(), "account_id": key["id"]})
    with database.write(Extent.ALL) as session:
        session.connection().execute(insert(cast(Table, Account.__table__)), rows)
        session.connection().execute(insert(cast(Table, SignIn.__table__)), sign_ins)
    for account, sign_in in zip(rows, sign_ins, strict=True):
        yield Person(account["id"], account["patient_id"], _token(clinic_id, account["id"], sign_in["id"]))


def _token(clinic_id: UUID, account_id: UUID, sign_in_id: UUID) -> str:
    """Return an access token as the API issues it, for longer than it would."""
    now = int(time.time())
    claims = {
        "sub": str(account_id),
        "sid": str(sign_in_id),
        "clinic": str(clinic_id),
        "jti": uuid7().hex,
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "type": "access",
        "fresh": False,
        "iat": now,
        "nbf": now,
        "exp": now + 6 * 3600,
    }
    headers = {"kid": tokens.key_id(JWT_KEY), "typ": tokens.KIND}
    return jwt.encode(claims, JWT_KEY, tokens.ALGORITHM, headers)
