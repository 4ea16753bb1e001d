"""How often a request asks the database: every statement is a round trip. The budgets may only shrink."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.services.alerts import episode as episodes
from server.services.alerts import escalation as escalations
from server.services.alerts.episode import Finding
from server.services.messages import untaken
from server.services.past import other_diary
from server.services.people import patient as patients
from server.services.watch import assessment as assessments
from server.services.watch import silence as silences
from server.services.work import Work, system
from tests.cast import Cast, Person, entry, new_patient, push, pushed
from tests.conftest import NOON

# PUT: who is signed in; the patient's lock with what holds at the clinic; the entry, sessions, days, diary,
# scales, course, judgements, moves, alerts; written: entry, revision, audit, counter, two judgements. Batch:
# two more writers are open, and a savepoint is begun and ended. An embedded database notes a read apart:
# one more BEGIN. Today: patient, clinic and plan; account, asked scales, what is done, reminders, rota, the
# next visit. A page of patients: who they are, their accounts, what was refused. On PostgreSQL most of them
# travel with another one (`server.convoy`).
ASKED = {"put": 17, "batch": 23, "read": 5, "today": 14, "patients": 5, "pull": 5}
TRIPS = {"put": 7, "batch": 14, "read": 3, "today": 13, "patients": 4, "pull": 4}
# What a pass asks of up to ten patients whose day ended: who they are, what holds at the clinic, sessions,
# entries, scales, courses, judgements, moves, the last entry; written: two judgements of each, and when the
# next day ends. PostgreSQL is told how to plan.
NIGHT = 13

# All of a table, or all of a clinic's rows, but for its one rota, and its shifts: a few a day. What an index
# holds of a clinic are few: its staff, and the alerts that nobody has closed.
FEW = "(rotas|shifts|accounts USING COVERING INDEX ix_accounts_staff|alerts USING INDEX ix_alerts_worklist)"
WIDE = re.compile(rf"^SCAN (?!CONSTANT)\w|^(?!SEARCH {FEW} ).*\(clinic_id=\?\)")


Sent = tuple[str, Any]


def sent(app: Flask, do: Callable[[], object]) -> list[Sent]:
    """Return the statements that ``do`` sends, with their parameters."""
    found: list[Sent] = []
    engine = Surroundings.of(app).database.engine

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        do()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


@pytest.mark.long
def test_a_night_asks_of_ten_patients_no_more_often_than_of_two(app: Flask, cast: Cast) -> None:
    clinic_id, database = cast.ana.clinic_id, Surroundings.of(app).database
    people = [cast.ana, *(new_patient(app, clinic_id, f"p{number}", None) for number in range(11))]
    for person in people:
        push(person, [pushed("entry", entry(NOON - timedelta(days=back))) for back in range(3)])

    def close(some: Sequence[Person]) -> None:
        with database.write() as session:
            work = Work(session, NOON + timedelta(days=1), system(clinic_id))
            taken = patients.take_to_close(work, [one.patient_id for one in some if one.patient_id])
            days = [(patient, NOON.date()) for patient in taken]
            assert len(days) == len(some)
            assessments.judge_each(work, days)
            silences.check_each(work, days)
            for patient, day in days:
                patients.close_day(work, patient, day)

    few, many = (len(sent(app, partial(close, some))) for some in (people[:2], people[2:]))
    assert many == few <= NIGHT


@pytest.fixture
def asked(app: Flask, cast: Cast) -> Mapping[str, Callable[[], object]]:
    """Give an entry, a batch, a read, a red flag, a trend, an import. What is read once was read before."""

    def put() -> None:
        assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON)).status_code == 201

    def batch() -> None:
        days = (NOON - timedelta(days=back) for back in range(1, 21))
        push(cast.ana, [pushed("entry", entry(day)) for day in days])

    # Without a clinician of their own, the team hears of them.
    nobodys = new_patient(app, cast.ana.clinic_id, "dan", None)

    def alarm() -> None:
        said = entry(NOON, safety="plan")
        assert nobodys.put(f"/entries/{uuid7()}", said).status_code == 201

    def trend() -> None:
        with Surroundings.of(app).database.write() as session:
            work, key = Work(session, NOON, system(cast.ana.clinic_id)), nobodys.patient_id
            found = Finding(AlertFamily.MOOD_RELAPSE, AlertClass.P1, NOON.date(), ("R1",), "It returns.")
            assert key is not None
            assert episodes.raise_alert(work, patients.lock(work, key), found)

    def diary() -> None:
        with Surroundings.of(app).database.read() as session:
            work, key = Work(session, NOON, system(cast.ana.clinic_id)), nobodys.patient_id
            assert key is not None
            days = {uuid7(): {"mood": 3.0} for _ in range(5)}
            assert not other_diary.says_the_same(work, key, days)

    def look() -> None:
        with Surroundings.of(app).database.read() as session:
            work = Work(session, NOON + timedelta(hours=1), system(cast.ana.clinic_id))
            assert not [*escalations.due(work), *untaken.due(work)]

    batch(), put()
    newest = cast.ana.post("/sync", {"limit": 200}).json["next_cursor"]
    return {
        "put": put,
        "batch": batch,
        "alarm": alarm,
        "trend": trend,
        "diary": diary,
        "look": look,
        "read": partial(cast.ana.get, "/entries?limit=200"),
        "today": partial(cast.ana.get, "/me/today"),
        # A phone that has everything already.
        "pull": partial(cast.ana.post, "/sync", {"cursor": newest}),
        "patients": partial(cast.bo.get, "/patients"),
    }


@pytest.mark.parametrize("what", ASKED)
def test_the_database_is_asked_no_more_often_than_it_was(
    app: Flask, asked: Mapping[str, Callable[[], object]], what: str
) -> None:
    budget = ASKED if Surroundings.of(app).database.is_sqlite else TRIPS
    assert len(sent(app, asked[what])) <= budget[what]


@pytest.mark.parametrize("what", ["put", "batch", "read", "today", "pull", "alarm", "trend", "diary", "look"])
def test_no_question_goes_through_all_the_rows_of_a_clinic(
    app: Flask, asked: Mapping[str, Callable[[], object]], what: str
) -> None:
    database = Surroundings.of(app).database
    if database.engine.dialect.name != "sqlite":
        pytest.skip("the other database plans by the sizes of tables, which are small here")
    statements = [one for one in sent(app, asked[what]) if "SELECT" in one[0]]
    with database.engine.connect() as connection:
        steps = [
            (step.detail, statement)
            for statement, values in statements
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert steps
    wide = [step for step in steps if WIDE.search(step[0])]
    assert [(detail, statement[:200]) for detail, statement in wide] == []
