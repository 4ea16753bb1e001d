"""What a clinic costs that has grown: every list somebody asks for, and every job that finds nothing to do.

The same requests and runs at a clinic and at one ten times as large, with ten times the past: alerts that
are over, messages that were sent, visits that took place, lines in the audit log. As many are open at both.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from flask.testing import FlaskClient
from sqlalchemy import Table, insert
from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, fresh
from benchmarks.results import Section, keep
from benchmarks.serving import JWT_KEY
from benchmarks.ward import Person, Ward, accounts, ward
from benchmarks.worklist import alarm
from jobs.around import Around, Incomplete
from jobs.heartbeat import Unwell
from jobs.runner import RUNS
from server.app import create_app
from server.clinical.vocabulary import (
    AlertClass,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
    Outcome,
    Role,
    SuggestionState,
)
from server.database import Database
from server.models import Alert, AuditEvent, BookingSuggestion, Delivery
from server.services import vault
from server.services.work import Work, system
from server.settings import Settings, master_keys

PATIENTS, TIMES, DAYS = {False: 100, True: 2000}, 10, 3
OPEN, ROUNDS = 50, 5
# Of each patient: alerts that are over, messages that were sent, visits that took place, lines in the log.
PAST = {Alert: 1, Delivery: 4, BookingSuggestion: 1, AuditEvent: 20}
SLICE, AGE = 500, timedelta(days=20)
LONG = 5000.0  # ms after which nothing is run again
PATHS = {
    Role.CLINICIAN: (
        *("/v1/alerts", "/v1/alerts/counts", "/v1/patients", "/v1/booking-suggestions", "/v1/review-tasks"),
        *("/v1/visit-yield", "/v1/rota/on-call", "/v1/clinic"),
    ),
    Role.CLINIC_ADMIN: (
        *("/v1/audit-events", "/v1/alert-budget", "/v1/clinic/accounts", "/v1/clinic/invitations"),
        *("/v1/status", "/v1/rota/coverage", "/v1/clinic/break-glass"),
    ),
    # What is one patient's own is found among that of all of them.
    Role.PATIENT: (
        *("/v1/me/today", "/v1/me", "/v1/me/trend", "/v1/entries", "/v1/visits", "/v1/scales"),
        *("/v1/me/caregivers", "/v1/me/consents", "/v1/me/exports"),
    ),
}
Row = dict[str, Any]
Run = Callable[[Around, datetime], int]


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    # Each run without a channel says so, which here is no news.
    logging.disable(logging.ERROR)
    rows = []
    for kind in KINDS:
        small, large = (_measure(kind, PATIENTS[full] * times) for times in (1, TIMES))
        for what, cost in small.items():
            rows.append((kind, what, f"{cost:.1f}", f"{large[what]:.1f}", f"{large[what] / cost:.1f}"))
    heads = ("database", "what", "ms", f"ms at {TIMES} ×", "ratio")
    notes = (
        f"{PATIENTS[full]:,} patients and {TIMES} × as many; {OPEN} open alerts at both.",
        f"Least of {ROUNDS}, in one process.",
    )
    logging.disable(logging.NOTSET)
    keep(Section("12_large_clinic", "Lists and jobs of a large clinic", heads, rows, [], notes))


def _measure(kind: str, number: int) -> dict[str, float]:
    with fresh(kind) as (url, folder):
        settings = Settings(data_dir=folder, database_url=url, jwt_key=JWT_KEY, requests_per_minute=0)
        database = Database(url, master_keys(settings))
        clinic = ward(database, number, DAYS)
        alarm(database, clinic, OPEN)
        _add_past(database, clinic)
        client = create_app(settings).test_client()
        (admin,) = accounts(database, clinic.clinic_id, [None], Role.CLINIC_ADMIN)
        asking = {
            Role.CLINICIAN: clinic.clinician,
            Role.CLINIC_ADMIN: admin,
            Role.PATIENT: clinic.patients[0],
        }
        found = dict(_lists(client, asking)) | dict(_jobs(Around(database, settings, {})))
        database.close()
    return found


def _lists(client: FlaskClient, asking: Mapping[Role, Person]) -> Iterator[tuple[str, float]]:
    def ask(path: str, who: Person) -> None:
        answer = client.get(path, headers={"Authorization": f"Bearer {who.token}"})
        assert answer.status_code < 300, f"{path}: {answer.status_code}"

    for role, paths in PATHS.items():
        for path in paths:
            yield path, _least(partial(ask, path, asking[role]))


def _jobs(around: Around) -> Iterator[tuple[str, float]]:
    now = datetime.now(UTC)

    def work(run: Run) -> None:
        # No channel is armed and the ledger is empty: messages stay due, and the heartbeat says so.
        with suppress(Incomplete, Unwell):
            run(around, now)

    for name, run in RUNS.items():
        yield f"job {name}", _least(partial(work, run))


def _least(do: Callable[[], object]) -> float:
    """Return the milliseconds of the quickest of some runs, after one that warms up and does what is due."""
    do()
    taken: list[float] = []
    while len(taken) < ROUNDS and sum(taken) < LONG:
        begun = time.perf_counter()
        do()
        taken.append(1000 * (time.perf_counter() - begun))
    return min(taken)


def _add_past(database: Database, clinic: Ward) -> None:
    """Give every patient some of each kind that is over."""
    now = datetime.now(UTC)
    for model, make in _MAKERS.items():
        for start in range(0, len(clinic.patients), SLICE):
            with database.write() as session:
                work = Work(session, now, system(clinic.clinic_id))
                whose = [who for who in clinic.patients[start : start + SLICE] for _ in range(PAST[model])]
                rows = [
                    make(work, clinic, who, now - AGE - timedelta(minutes=n)) for n, who in enumerate(whose)
                ]
                session.connection().execute(insert(cast(Table, model.__table__)), rows)


def _alert(work: Work, clinic: Ward, who: Person, at: datetime) -> Row:
    own = uuid7()
    found = {"codes": ["silence"], "summary": "Nothing came.", "evidence": {}}
    return {
        "clinic_id": clinic.clinic_id,
        "id": own,
        **vault.sealed(work, Alert, (clinic.clinic_id, own), found),
        "patient_id": who.patient_id,
        "family": "silence",
        "urgency": AlertClass.P3,
        "state": AlertState.RESOLVED,
        "level": 0,
        "day": at.date(),
        "opened_at": at,
        "worsened_at": at,
        "waiting_since": at,
        "resolved_at": at,
        "snoozed": False,
        "outcome": Outcome.NO_ACTION_NEEDED,
        "version": 3,
    }


def _delivery(work: Work, clinic: Ward, who: Person, at: datetime) -> Row:
    own = uuid7()
    return {
        "clinic_id": clinic.clinic_id,
        "id": own,
        "key": str(own),
        "account_id": clinic.clinician.account_id,
        "channel": Channel.EMAIL,
        "template": "alert",
        "subject": DeliverySubject.ALERT,
        "subject_id": uuid7(),
        "urgency": AlertClass.P2,
        "state": DeliveryState.DELIVERED,
        "due_at": at,
        "attempt": 1,
        "created_at": at,
        "finished_at": at,
    }


def _suggestion(work: Work, clinic: Ward, who: Person, at: datetime) -> Row:
    return {
        "clinic_id": clinic.clinic_id,
        "id": uuid7(),
        "patient_id": who.patient_id,
        "programme": "mood",
        "state": SuggestionState.FULFILLED,
        "reason": "relapse",
        "urgency": "routine",
        "earliest": at.date(),
        "latest": at.date(),
        "blocks": [],
        "responded": True,
        "days_gained": 20,
        "outcome_final": True,
        "outcome_at": at,
        "created_at": at,
        "changed_at": at,
        "version": 5,
    }


def _event(work: Work, clinic: Ward, who: Person, at: datetime) -> Row:
    return {
        "clinic_id": clinic.clinic_id,
        "id": uuid7(),
        "at": at,
        "account_id": clinic.clinician.account_id,
        "action": "entry.list",
        "patient_id": who.patient_id,
        "object_id": None,
    }


_MAKERS = {Alert: _alert, Delivery: _delivery, BookingSuggestion: _suggestion, AuditEvent: _event}

if __name__ == "__main__":
    main()
