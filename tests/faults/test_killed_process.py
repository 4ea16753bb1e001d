"""Faults 3 and 4 once more, with a real process, a real signal and a real mail server."""

import asyncio
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server.clinical.vocabulary import DeliveryState
from server.database import Database
from server.models import Delivery
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.faults.ward import Ward
from tests.gateways.peers import Peer, listening
from tests.jobs.deeds import ana_raises_a_red_flag
from tests.test_cli import running

A_WHILE = 20.0


class Hesitant(Peer):
    """A mail server that has a message, and for a while never comes to say so."""

    def __init__(self) -> None:
        super().__init__()
        self.hesitates = True

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep it, and answer or not."""
        answer: str = await super().handle_DATA(server, session, envelope)
        if self.hesitates:
            await asyncio.sleep(A_WHILE)
        return answer


def ids(peer: Peer) -> list[str]:
    """Return the id of each message that the mail server got, as often as it got it."""
    return [message["Message-ID"] for message in peer.received]


def comes_true(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + A_WHILE
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_killed_with_a_message_in_hand_is_followed_by_one_repeat_of_it(
    ward: Ward, cast: Cast, clock: Clock, database: Database, settings: Settings, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)  # the worker's own clock is the real one
    ana_raises_a_red_flag(cast, clock)
    peer = Hesitant()
    with listening(peer) as port:
        environment = {
            "AFTERGLOW_DATABASE_URL": settings.sqlalchemy_url,
            "AFTERGLOW_MASTER_KEY": settings.master_key,
            "AFTERGLOW_DATA_DIR": str(tmp_path),
            "AFTERGLOW_SMTP_URL": f"smtp://127.0.0.1:{port}",
        }
        with running(environment, "work") as worker:
            (told,) = to_bo(ward, cast)
            assert comes_true(lambda: f"<{told.id}@localhost>" in ids(peer))  # other messages go beside it
            worker.send_signal(signal.SIGKILL)
            worker.wait(A_WHILE)
        (waiting,) = to_bo(ward, cast)
        assert (waiting.state, waiting.attempt) == (DeliveryState.CLAIMED, 1)
        peer.hesitates = False
        _two_minutes_later(database)
        with running(environment, "work"):
            assert comes_true(lambda: to_bo(ward, cast)[0].state is DeliveryState.ACCEPTED)
    assert ids(peer).count(f"<{waiting.id}@localhost>") == 2
    assert len({row.id for row in ward.deliveries()}) == len(ward.deliveries())


def to_bo(ward: Ward, cast: Cast) -> list[Delivery]:
    """Return what tells Bo of the emergency: a worker also sends its probe and what the months brought."""
    about = [row for row in ward.deliveries() if row.template == "emergency_needs_review"]
    return [row for row in about if row.account_id == cast.bo.account_id]


def _two_minutes_later(database: Database) -> None:
    """Let the dead worker's lease run out."""
    with database.write() as session:
        session.execute(update(Delivery).values(lease_until=Delivery.created_at))
