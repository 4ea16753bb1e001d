"""Fault 41, slow and lossy: 200 ms to the database and back, and one piece in twenty has to be sent again."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from server.database import Database
from server.settings import PREFIX, Settings
from tests.cast import entry
from tests.conftest import empty
from tests.faults.house import comes_true
from tests.faults.line import Line
from tests.postgresql_server import Server
from tests.proof import clinic
from tests.proof.checker import figures, first_broken
from tests.proof.fleet import fleet_of
from tests.proof.history import History, of, read
from tests.proof.phone import Phone
from tests.proof.run import KEY, MailServer, Plan, end, environment_of, listening, live

# One API, one runner that delivers, one that does all else. Nobody dies, so a message stays one worker's.
PLAN = Plan(seed=41, shape=(1, 1, 1), patients=4, pause=0.2, lease=60)
# Seconds until the line goes dark, and for how long; how long one entry and its alert may take at the most.
SPLIT_AFTER, SPLIT, AT_MOST = 2.0, 0.5, 30.0


class Heard(MailServer):
    """Knows to whom it was sent."""

    def __init__(self, history: History) -> None:
        super().__init__(history, frozenset())
        self.to: list[str] = []

    def handle_message(self, message: Message) -> None:
        """Note it."""
        super().handle_message(message)
        self.to.append(str(message["To"]))


@pytest.fixture
def bare(wired: Server) -> Iterator[Server]:
    """A server that nothing is left on."""
    yield wired
    database = Database(wired.url)
    empty(database)
    database.close()


def test_over_a_slow_and_lossy_line_that_splits_once_every_promise_holds(
    bare: Server, line: Line, tmp_path: Path
) -> None:
    history = read(play(bare, line, tmp_path))
    assert first_broken(history) is None, figures(history)
    clear = next(one["at"] for one in of(history, "note") if one["what"] == "the line is clear")
    assert any(one["at"] < clear for one in of(history, "ok")), "stored over the bad line"
    assert any(one["at"] < clear for one in of(history, "mail")), "told over the bad line"
    assert len(of(history, "end")[0]["state"]["alerts"]) >= 1


def play(server: Server, line: Line, folder: Path) -> Path:
    """Let phones write and pull over ``line``, and return the file of the history."""
    file = folder / "history.jsonl"
    with contextlib.closing(History(file, PLAN.seed)) as history:
        history.add("run", seed=PLAN.seed, plan=str(PLAN))
        mail = Heard(history)
        settings = Settings(database_url=server.url, data_dir=folder, jwt_key="j" * 32, master_key=KEY)
        with listening(mail) as port:
            environment = environment_of(settings, port, PLAN) | {f"{PREFIX}DATABASE_URL": line.url}
            with fleet_of(PLAN.shape, environment) as fleet:
                everybody = clinic.open_clinic(settings, PLAN.patients, fleet.ports, history)
                with ThreadPoolExecutor() as threads:
                    assert all(threads.map(Phone.pull, everybody))  # so that connections are there
                urgent, *phones = everybody
                live(PLAN, phones, lambda: bad_weather(line, urgent, mail))
                end(fleet, everybody, server.url, history)
    return file


def bad_weather(line: Line, urgent: Phone, mail: Heard) -> None:
    """Be slow and lossy, and dark for a moment, until somebody was told of what one phone says."""
    line.delay, line.lost = 0.1, 0.05
    urgent.history.add("note", what="the line is slow and lossy")
    threading.Timer(SPLIT_AFTER, setattr, (line, "dark", True)).start()
    threading.Timer(SPLIT_AFTER + SPLIT, setattr, (line, "dark", False)).start()
    urgent.waiting = [(str(uuid7()), entry(datetime.now(UTC), safety="plan"))]
    never = threading.Event()
    patience = threading.Timer(AT_MOST, never.set)
    patience.start()
    urgent.insist(never)
    patience.cancel()
    assert comes_true(lambda: any("doc0@" in to for to in mail.to), AT_MOST)
    line.delay, line.lost = 0.0, 0.0
    urgent.history.add("note", what="the line is clear")
