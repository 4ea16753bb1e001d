"""Fault 41 at one connection: an answer that does not come is waited for so long, and no longer."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from server.postgresql.patience import Connection, waiting_for
from tests.faults.line import Line


@pytest.fixture
def connection(line: Line) -> Iterator[Connection]:
    """A connection over a line that may go dark, with little patience."""
    with Connection.connect(line.url.replace("+psycopg", ""), autocommit=True) as found:
        found.patience = 0.3
        yield found


def test_an_answer_that_does_not_come_is_given_up_and_so_is_its_connection(
    connection: Connection, line: Line
) -> None:
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    line.dark, began = True, time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        connection.execute("SELECT 2")
    assert time.monotonic() - began < 1
    line.dark = False
    # What comes late must never be taken for the answer to the next question.
    with pytest.raises(psycopg.OperationalError, match="closed"):
        connection.execute("SELECT 3")


def test_what_may_take_as_long_as_it_takes_is_waited_for(connection: Connection, line: Line) -> None:
    line.dark = True
    threading.Timer(0.7, setattr, (line, "dark", False)).start()
    with waiting_for(connection, None):
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert connection.patience == 0.3
