"""How often a request asks the database: every statement is a round trip. The budgets may only shrink."""

from collections.abc import Callable
from datetime import timedelta

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


def counted(app: Flask, do: Callable[[], object]) -> int:
    """Return how many statements ``do`` sends."""
    sent: list[str] = []
    engine = Surroundings.of(app).database.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        do()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_an_entry_a_batch_and_a_read_ask_the_database_no_more_often_than_they_did(
    app: Flask, cast: Cast
) -> None:
    def put() -> None:
        assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON)).status_code == 201

    def batch() -> None:
        days = (NOON - timedelta(days=back) for back in range(1, 21))
        push(cast.ana, [pushed("entry", entry(day)) for day in days])

    batch(), put()  # keys and plans are read once a process
    assert counted(app, put) <= PUT
    assert counted(app, batch) <= BATCH
    assert counted(app, lambda: cast.ana.get("/entries?limit=200")) <= READ
