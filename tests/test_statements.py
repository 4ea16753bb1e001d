"""How often a request asks the database: every statement is a round trip. The budgets may only shrink."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from tests.cast import Cast, entry, push, pushed
from tests.conftest import NOON

# Who is signed in; the patient's lock with what holds at the clinic; the entry, sessions, days, diary,
# scales, course, judgements, moves, alerts; written: entry, revision, audit, counter, two judgements.
PUT = 17
# Two more writers are open, and a savepoint is begun and ended.
BATCH = 23
READ = 4


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


@pytest.fixture
def asked(cast: Cast) -> Mapping[str, Callable[[], object]]:
    """Give an entry, a batch and a read, each asked once before: keys and plans are read once a process."""

    def put() -> None:
        assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON)).status_code == 201

    def batch() -> None:
        days = (NOON - timedelta(days=back) for back in range(1, 21))
        push(cast.ana, [pushed("entry", entry(day)) for day in days])

    batch(), put()
    return {"put": put, "batch": batch, "read": lambda: cast.ana.get("/entries?limit=200")}


@pytest.mark.parametrize(("what", "most"), [("put", PUT), ("batch", BATCH), ("read", READ)])
def test_the_database_is_asked_no_more_often_than_it_was(
    app: Flask, asked: Mapping[str, Callable[[], object]], what: str, most: int
) -> None:
    assert len(sent(app, asked[what])) <= most


@pytest.mark.parametrize("what", ["put", "batch", "read"])
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
    wide = [step for step in steps if re.search(r"^SCAN (?!CONSTANT)\w|\(clinic_id=\?\)", step[0])]
    assert [(detail, statement[:200]) for detail, statement in wide] == []
