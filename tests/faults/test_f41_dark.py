"""Fault 41, dark and cut: nothing comes back from the database's host, and nobody says so."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.postgresql.limits import LATE
from server.serve import THREADS
from tests.cast import Person, entry
from tests.faults.crowd import Client, crowd, is_told_to_come_again, putting
from tests.faults.house import House, asked, comes_true, house
from tests.faults.line import Line
from tests.gateways.peers import Peer
from tests.postgresql_server import Server

# Seconds: for a turn and for a connection; to connect; for a statement. What a busy machine adds.
WAIT, CONNECT, STATEMENT, BUSY = 1, 1, 1, 2
LIMITS = {
    "DATABASE_WAIT_SECONDS": str(WAIT),
    "DATABASE_CONNECT_SECONDS": str(CONNECT),
    "STATEMENT_SECONDS": str(STATEMENT),
}
BO = "bo@clinic.example"


def put(port: int, who: Person, ids: list[str], body: Any, seconds: float) -> list[Client]:
    """Let a phone put entries, all at once, and return the answers that came in time."""
    with crowd(port, [putting(who, one, body) for one in ids]) as many:
        assert asked(port, None, "GET", "/livez").status == 200
        return many.answered(seconds)


@pytest.mark.parametrize("is_cut", [False, True])
def test_in_the_dark_everybody_is_told_to_come_again_and_in_the_light_all_is_stored_once(
    home: House, line: Line, is_cut: bool
) -> None:
    """What was on its way may arrive late, or never: either way it is there once."""
    port, ana = home.api(DATABASE_URL=line.url, **LIMITS), home.people.ana
    home.worker(DATABASE_URL=line.url, **LIMITS)
    ids, body = [str(uuid7()) for _ in range(4 * THREADS)], entry(datetime.now(UTC), safety="plan")
    before = put(port, ana, ids[:THREADS], body, 10)
    assert {one.status for one in before} == {201}
    assert comes_true(lambda: home.is_told(home.probe()))
    line.dark = True
    alert = home.alert()
    # In a place one waits for the last answer, then for a new connection; before, for a turn.
    answered = put(port, ana, ids, body, WAIT + STATEMENT + LATE + CONNECT + BUSY)
    assert len(answered) == len(ids)
    assert all(is_told_to_come_again(one) for one in answered)
    assert asked(port, None, "GET", "/readyz").status == 503
    if is_cut:
        line.cut()
    line.dark = False
    in_the_light_all_is_well(home, port, ids, body)
    assert comes_true(lambda: home.is_told(alert), 20)


def in_the_light_all_is_well(home: House, port: int, ids: list[str], body: Any) -> None:
    ana = home.people.ana
    assert comes_true(lambda: asked(port, ana, "GET", "/v1/me").status == 200, 3)
    after = put(port, ana, ids, body, 10)
    assert {one.status for one in after} <= {200, 201}
    assert len(after) == len(ids)
    mine = home.rows("SELECT version FROM entries WHERE patient_id = :id", id=ana.patient_id)
    assert [row.version for row in mine] == [1] * len(ids)
    told = "SELECT count(*), count(DISTINCT key) FROM deliveries WHERE subject = 'alert'"
    alerts = "SELECT count(*) FROM alerts WHERE patient_id = :id"
    assert home.rows(alerts, id=ana.patient_id)[0][0] == 1
    rows, keys = home.rows(told)[0]
    assert rows == keys


class Watchful(Peer):
    """A mail server that tells of the first message to Bo, and holds the answer to the second one."""

    def __init__(self) -> None:
        super().__init__()
        self.at_the_first: Callable[[], None] = lambda: None
        self.seen, self.holds = 0, True

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message."""
        answer: str = await super().handle_DATA(server, session, envelope)
        if BO in envelope.rcpt_tos:
            self.seen += 1
            if self.seen == 1:
                self.at_the_first()
            while self.seen == 2 and self.holds:
                await asyncio.sleep(0.02)
        return answer


def test_a_worker_that_was_split_off_with_a_message_in_hand_changes_nothing_when_it_is_back(
    wired: Server, line: Line, built_app: Flask, tmp_path: Path
) -> None:
    """It has sent and could not say so; another one has the message by then, under a newer number."""
    mail, lease = Watchful(), {"LEASE_SECONDS": "4"}
    mail.at_the_first = lambda: setattr(line, "dark", True)
    with house(wired.url, built_app, tmp_path, mail) as home:
        home.worker(DATABASE_URL=line.url, **lease)
        assert comes_true(lambda: home.is_told(home.probe()))
        alert = home.alert()
        assert comes_true(lambda: mail.seen == 1)
        other = home.worker(**lease)
        assert comes_true(lambda: mail.seen == 2)
        assert of(home, alert) == [("claimed", 2)]
        line.dark = False
        time.sleep(1.5)  # so that what it has waited to say is said
        assert of(home, alert) == [("claimed", 2)]
        mail.holds = False
        assert comes_true(lambda: of(home, alert) == [("accepted", 2)], 4)
        other.kill()
        later = home.alert()
        assert comes_true(lambda: home.is_told(later))
        assert [home.arrived().count(one) for one in ids_of(home, alert) + ids_of(home, later)] == [2, 1]
        assert home.rows("SELECT count(*) FROM deliveries WHERE state IN ('queued', 'claimed')")[0][0] == 0


def of(home: House, alert: Any) -> list[tuple[str, int]]:
    rows = home.rows("SELECT state, attempt FROM deliveries WHERE subject_id = :id", id=alert)
    return [(row.state, row.attempt) for row in rows]


def ids_of(home: House, alert: Any) -> list[str]:
    return [str(row.id) for row in home.rows("SELECT id FROM deliveries WHERE subject_id = :id", id=alert)]
