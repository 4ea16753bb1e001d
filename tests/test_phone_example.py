"""The phone of `examples/phone.py`, as a real process against a real server, killed again and again."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examples.phone import FILLED, Phone, Refused, Server, Store
from server.database import Database
from server.isolation import Extent
from server.models import (
    Alert,
    Base,
    Entry,
    EntryRevision,
    QuestionnaireResponse,
    QuestionnaireResponseRevision,
)
from server.services import vault
from server.services.work import Work, system
from server.settings import Settings, master_keys
from tests.cast import PASSWORD
from tests.conftest import JWT_KEY, empty, fill, rows_of
from tests.ports import free_port
from tests.real_server import serving
from tests.source import ROOT

# Each run logs a few entries more, so that corrections come before and after their entry was synced.
KILLS, A_RUN, A_CALL = 30, 3, 4
# One entry more in the end: it corrects the one before, which is synced by then.
ENTRIES = KILLS * A_RUN + 1
# More than what one run puts on the wire; the kills are spread over it.
BYTES = 6_000


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A real server on loopback that knows Ana, in its own process; starting it costs a second."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(data_dir=folder, password_cost="cheap", jwt_key=JWT_KEY, port=free_port())
    with serving(settings):
        yield settings


@pytest.fixture
def served(one_server: Settings) -> Iterator[Settings]:
    """That server, with what it knew at first."""
    database = Database(one_server.sqlalchemy_url)
    before = rows_of(database)
    yield one_server
    empty(database)
    fill(database, before)
    database.close()


@dataclass
class Wire:
    """The wire between phone and server. It kills the phone at byte number `deadly` of both directions."""

    port: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    victim: int | None = None
    deadly: int = sys.maxsize
    passed: int = 0

    def serve(self) -> None:
        """Forward connections until the listener is closed."""
        while True:
            try:
                phone, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for ends in ((phone, server), (server, phone)):
                threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        # Where one end is gone, the other goes too.
        with suppress(OSError), source, target:
            while data := source.recv(4096):
                alive = data[: max(0, self.deadly - self.passed)]
                self.passed += len(alive)
                target.sendall(alive)
                if len(alive) < len(data):
                    self._kill()
                    break
            for end in (source, target):
                end.shutdown(socket.SHUT_RDWR)

    def _kill(self) -> None:
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = None


@dataclass
class Handset:
    """Starts the phone's process, and ends it by its own id."""

    file: Path
    wire: Wire
    said: str = ""

    def start(self, entries: int) -> subprocess.Popen[str]:
        """Start the app."""
        url = f"http://127.0.0.1:{self.wire.listener.getsockname()[1]}"
        known = ["--server", url, "--store", str(self.file), "--email", "ana@home.example"]
        paces = ["--entries", str(entries), "--most", str(A_CALL), "--pause", "0.01"]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(ROOT / "examples" / "phone.py"), "--week", *known, *paces],
            env={"PHONE_PASSWORD": PASSWORD},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, process: subprocess.Popen[str], seconds: float) -> int:
        """Wait, kill it where it is not done by then, and return its status."""
        try:
            text, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            text, _ = process.communicate()
        self.wire.victim = None
        self.said += text
        return process.returncode


def on_the_server(settings: Settings) -> dict[str, Any]:
    database = Database(settings.sqlalchemy_url, master_keys(settings))
    with database.read(Extent.ALL) as session:
        clinic_id = session.scalar(select(Entry.clinic_id).limit(1))
        stored = list(session.scalars(select(Entry)))
        scales = list(session.scalars(select(QuestionnaireResponse)))
        if clinic_id is not None:
            work = Work(session, datetime.now(UTC), system(clinic_id))
            vault.opened(work, [*stored, *scales])
        rows = {str(row.id): row for row in stored}
        revisions = count_of(session, EntryRevision) + count_of(session, QuestionnaireResponseRevision)
        found = {
            "notes": {key: row.note for key, row in rows.items()},
            "by": {row.entered_by for row in stored if row.note},
            "scales": {str(row.id): list(row.answers.values()) for row in scales if row.deleted_at is None},
            "versions": sum(row.version for row in [*stored, *scales]),
            "rows": len([*stored, *scales]),
            "revisions": revisions,
            "alerts": count_of(session, Alert),
        }
    database.close()
    return found


def count_of(session: Session, table: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def digits(number: int) -> list[int]:
    """Return the answers that stand for ``number`` in the week's scales."""
    return [number // 4**place % 4 for place in range(7)]


def scales_of_the_week() -> list[list[int]]:
    """Return what must be left of the scales: of three one is corrected and one taken back."""
    numbers = {n: n for n in range(0, ENTRIES, 4)}
    numbers |= {n - 2: n for n in range(6, ENTRIES, 12)}
    return sorted(digits(m) for n, m in numbers.items() if n not in {k - 2 for k in range(10, ENTRIES, 12)})


def test_a_refused_request_leaves_its_connection_to_the_next_one(served: Settings) -> None:
    for size in (20, 2_000, 100_000):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        connection.putrequest("PUT", "/v1/me/check-in-plan")
        for name, value in (("Authorization", "Bearer expired"), ("Content-Length", str(size))):
            connection.putheader(name, value)
        connection.endheaders()
        time.sleep(0.02)  # the body comes when the refusal may be on its way
        connection.send(b"x" * size)
        with connection.getresponse() as refused:
            assert (refused.status, refused.read() != b"") == (401, True)
        connection.request("GET", "/v1/status")
        with connection.getresponse() as next_one:
            assert next_one.status == 200
        connection.close()


def test_a_phone_killed_at_any_byte_and_any_moment_loses_and_doubles_nothing(
    served: Settings, tmp_path: Path
) -> None:
    wire, random = Wire(served.port), Random(7)
    threading.Thread(target=wire.serve, daemon=True).start()
    handset = Handset(tmp_path / "phone.db", wire)
    statuses = []
    for number in range(KILLS):
        by_byte = number % 3 > 0
        wire.passed = 0
        wire.deadly = random.randrange(1, BYTES) if by_byte else sys.maxsize
        process = handset.start(A_RUN * (number + 1))
        wire.victim = process.pid
        statuses.append(handset.end(process, 10 if by_byte else random.uniform(0.08, 0.3)))
    wire.deadly = sys.maxsize
    for entries in (ENTRIES - 1, ENTRIES):
        assert handset.end(handset.start(entries), 20) == 0, handset.said
    wire.listener.close()

    assert statuses.count(-signal.SIGKILL) > KILLS // 3, statuses
    server = on_the_server(served)
    taken_back = [n - 1 for n in range(1, ENTRIES) if n % 9 == 0 and n % 5]
    expected = {n: f"entry {n}" for n in range(ENTRIES) if n not in taken_back}
    expected |= {n - 1: f"entry {n - 1}, corrected" for n in range(1, ENTRIES) if n % 5 == 0}
    said = sorted(note for note in server["notes"].values() if note)
    assert said == sorted(expected.values())
    assert sorted(server["scales"].values()) == scales_of_the_week()
    assert server["by"] == {"caregiver"}, "who typed an entry survives its correction"
    store = Store(str(handset.file))
    assert store.count("waiting", "sent", "refused") == 0
    on_the_phone = {key: [*f["answers"].values()] for key, f in store.journal(FILLED).items()}
    assert on_the_phone == server["scales"]
    assert {key: e["note"] for key, e in store.journal().items()} == {
        key: note for key, note in server["notes"].items() if note
    }
    assert server["versions"] > server["rows"], "some were corrected after they were stored"
    assert server["revisions"] == server["versions"], "each version was written once"
    assert server["alerts"] == 1
    assert re.search(r"^!! ", handset.said, re.MULTILINE), "the notice was shown"


def test_a_phone_that_died_with_its_fresh_tokens_signs_in_again_and_keeps_its_pending_list(
    served: Settings, tmp_path: Path
) -> None:
    who = {"clinic": "demo", "email": "ana@home.example", "password": PASSWORD}
    store = Store(str(tmp_path / "phone.db"))
    phone = Phone(store, Server(store, f"http://127.0.0.1:{served.port}", who).send, lambda _: None)
    phone.sync()
    first = store.get("refresh_token")
    store.keep("access_token", "expired")
    phone.sync()
    assert store.get("refresh_token") not in (None, first), "refreshed, and kept"

    store.keep("access_token", "expired")
    store.keep("refresh_token", first)  # used up: the answer with the next one was never stored
    logged = phone.log({"occurred_at": phone.clock().isoformat(), "zone": "UTC", "items": {"mood": 4}})
    phone.sync()
    assert list(store.journal()) == [logged]
    assert store.count("waiting", "sent") == 0


def test_a_phone_never_pushes_what_one_patient_logged_as_another(served: Settings, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "phone.db"))
    url = f"http://127.0.0.1:{served.port}"
    ana = {"clinic": "demo", "email": "ana@home.example", "password": PASSWORD}
    fay = {"clinic": "elsewhere", "email": "fay@home.example", "password": PASSWORD}
    Phone(store, Server(store, url, ana).send, lambda _: None).sync()
    store.keep("access_token", None)
    phone = Phone(store, Server(store, url, fay).send, lambda _: None)
    phone.log({"occurred_at": phone.clock().isoformat(), "zone": "UTC", "items": {"mood": 4}})
    with pytest.raises(Refused, match="somebody else"):
        phone.sync()
    assert on_the_server(served)["notes"] == {}
