"""The clinic's system reads its visits while the rows of one go: it gets the others, or a not found."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from jobs import erase
from jobs.around import Around
from server.clinical.visit import Slot
from server.models import BookingSuggestion
from server.services.visits import candidate_slot as candidate_slots
from tests.cast import Cast
from tests.conftest import Clock
from tests.leaving import leaves
from tests.visits import Visits

INBOX = "/v1/inbox/booking-suggestions"


@pytest.fixture
def visit(around: Around, visits: Visits, cast: Cast) -> str:
    """A visit with a free time beside it, of somebody who leaves."""
    if around.database.is_sqlite:
        pytest.skip("one writer at a time")
    suggestion = visits.approved()
    with around.database.write() as session:
        work, row = visits.work(session), session.query(BookingSuggestion).one()
        starts = visits.now + timedelta(days=1)
        free = Slot(starts, starts + timedelta(hours=1), "slot-1", None)
        candidate_slots.attach(work, row, [free], visits.now + timedelta(days=3))
    leaves(cast)
    return suggestion


@contextmanager
def erased_after(around: Around, clock: Clock, table: str) -> Iterator[list[int]]:
    """Let the rows go when the first question to ``table`` was answered; gives how many patients went."""
    gone: list[int] = []
    later = clock.now + timedelta(days=1, hours=1)

    def erase_now(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if f"FROM {table}" in statement and not gone:
            gone.append(0)  # what the job itself asks comes by here too
            gone[0] = erase.run(around, later)

    event.listen(around.database.engine, "after_cursor_execute", erase_now)
    try:
        yield gone
    finally:
        event.remove(around.database.engine, "after_cursor_execute", erase_now)


@pytest.mark.parametrize("table", ["booking_suggestions", "candidate_slots"])
@pytest.mark.parametrize(
    "path", ["/fhir/R4/ServiceRequest", "/fhir/R4/Appointment", f"{INBOX}?state=withdrawn"]
)
def test_a_list_is_answered_while_the_rows_of_one_of_its_visits_go(
    path: str, table: str, app: Flask, around: Around, cast: Cast, clock: Clock, visit: str
) -> None:
    headers = {"Authorization": f"Bearer {cast.scheduler.token}"}
    with erased_after(around, clock, table) as gone:
        answer = app.test_client().get(path, headers=headers)
    assert gone == [1]
    assert answer.status_code == 200, answer.text
    after = app.test_client().get(path, headers=headers)
    assert visit not in after.text


def test_the_history_of_a_visit_whose_rows_go_meanwhile_is_not_found(
    app: Flask, around: Around, cast: Cast, clock: Clock, visit: str
) -> None:
    headers = {"Authorization": f"Bearer {cast.scheduler.token}"}
    with erased_after(around, clock, "candidate_slots") as gone:
        answer = app.test_client().get(f"{INBOX}/{visit}/history", headers=headers)
    assert gone == [1]
    assert answer.status_code == 404
