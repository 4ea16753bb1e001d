"""Fault 20: two hundred who hold everything up at once; others are told soon, and alerts go on leaving."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from uuid_utils.compat import uuid7

from server.serve import THREADS
from tests.cast import Person, entry, pushed
from tests.faults.crowd import Crowd, crowd, is_told_to_come_again, putting
from tests.faults.house import House, asked, comes_true
from tests.postgresql_server import Server

MANY = 200
# Seconds: for a turn and for a connection; for a lock. What a busy machine adds to any of them.
WAIT, LOCK, BUSY = 1, 10, 1.5
# Those who found a place, and whoever got one of theirs after them.
INSIDE = 4 * THREADS
LIMITS = {"DATABASE_WAIT_SECONDS": str(WAIT), "LOCK_SECONDS": str(LOCK)}


@contextmanager
def held(server: Server, who: Person) -> Iterator[None]:
    """Hold the row that every write of ``who`` needs."""
    with psycopg.connect(server.url.replace("+psycopg", "")) as other:
        other.execute("SELECT id FROM patients WHERE id = %s FOR UPDATE", (who.patient_id,))
        yield
        other.rollback()


# One connection and one more for a moment: then it is the pool that is exhausted, else the places to work at.
@pytest.mark.parametrize("connections", [10, 1])
def test_two_hundred_who_wait_for_one_row_keep_nobody_waiting_and_no_alert_back(
    wired: Server, home: House, connections: int
) -> None:
    port = home.api(**LIMITS, DATABASE_CONNECTIONS=str(connections))
    ana, ids, body = home.people.ana, [str(uuid7()) for _ in range(MANY)], entry(datetime.now(UTC))
    home.worker()
    with crowd(port, [putting(ana, one, body) for one in ids]) as many:
        with held(wired, ana):
            others_are_told_soon(port, home.people.other_patient)
            alert = home.alert()
            assert comes_true(lambda: home.is_told(alert) and home.is_told(home.probe()), 6)
            assert len(many.answered(0)) < MANY, "somebody still holds everything up"
        taken = everybody_was_told(many)
    assert len(taken) <= INSIDE
    there = home.rows("SELECT id FROM entries WHERE patient_id = :id", id=ana.patient_id)
    assert {ids[number] for number in taken} <= {str(row.id) for row in there}
    all_is_well(home, port, ids, body)


def test_two_hundred_whose_bodies_never_end_are_told_to_come_again_and_so_is_everybody_else(
    home: House,
) -> None:
    """A proxy has to keep them out (docs/deploying.md); without one they still stop nobody from hearing."""
    port, ana = home.api(**LIMITS), home.people.ana
    begun = putting(ana, str(uuid7()), entry(datetime.now(UTC)))[:-10]
    with crowd(port, [begun] * MANY) as many:
        others_are_told_soon(port, home.people.other_patient)
        assert comes_true(lambda: len(many.answered(0)) == MANY - THREADS, WAIT + BUSY)
        assert all(is_told_to_come_again(one) for one in many.answered(0))
    assert comes_true(lambda: asked(port, ana, "GET", "/v1/me").status == 200, WAIT + BUSY)
    answer = asked(port, ana, "PUT", f"/v1/entries/{uuid7()}", entry(datetime.now(UTC)))
    assert answer.status == 201


def others_are_told_soon(port: int, other: Person) -> None:
    for number in range(3):
        began = time.monotonic()
        assert asked(port, None, "GET", "/livez").status == 200
        assert time.monotonic() - began < BUSY
        answer = asked(port, other, "PUT", f"/v1/entries/{uuid7()}", entry(datetime.now(UTC)))
        assert answer.status in (201, 503), number
        assert answer.status == 201 or answer.headers["Retry-After"] == "5"
        assert time.monotonic() - began < 2 * WAIT + BUSY
        time.sleep(0.1)
    assert asked(port, None, "GET", "/readyz").status == 503


def everybody_was_told(many: Crowd) -> list[int]:
    """Return the numbers of those whose entry was taken; the others were told to come again, most at once."""
    assert len(many.answered(LOCK + 2 * BUSY)) == MANY
    taken = [number for number, one in enumerate(many.clients) if one.status == 201]
    rest = [one for one in many.clients if one.status != 201]
    assert all(is_told_to_come_again(one) for one in rest)
    assert sum(one.seconds is not None and one.seconds < 2 * WAIT + BUSY for one in rest) >= MANY - INSIDE
    return taken


def all_is_well(home: House, port: int, ids: list[str], body: Any) -> None:
    """They come again, a hundred in a batch, and everything is there once."""
    assert comes_true(lambda: asked(port, home.people.ana, "GET", "/v1/me").status == 200, 3)
    items = [{**pushed("entry", body), "id": one} for one in ids]
    for part in (items[: MANY // 2], items[MANY // 2 :]):
        assert asked(port, home.people.ana, "POST", "/v1/sync", {"items": part}).status == 200
    mine = home.rows("SELECT version FROM entries WHERE patient_id = :id", id=home.people.ana.patient_id)
    assert [row.version for row in mine] == [1] * MANY
