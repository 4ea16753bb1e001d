"""The house as it runs: API and workers as real processes, on a PostgreSQL and a mail server of a test."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from server.api.edge import EXTENSION, Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.database import Database
from server.isolation import Extent
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.people import patient as patients
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.settings import PREFIX, Settings, master_keys
from tests.cast import Cast, Person, found_clinic
from tests.conftest import JWT_KEY, MASTER_KEY, empty
from tests.gateways.peers import Peer, listening
from tests.ports import free_port, wait_for
from tests.proof.fleet import Member


@dataclass
class House:
    """``database`` is for looking from the side: it leads straight to the server, whatever is in the way."""

    database: Database
    people: Cast
    mail: Peer
    environment: dict[str, str]
    members: list[Member] = field(default_factory=list)

    def api(self, **more: str) -> int:
        """Start an API with ``more`` variables and return the port it answers at."""
        port = free_port()
        self._start("serve", more | {"PORT": str(port)})
        wait_for(port)
        return port

    def worker(self, **more: str) -> Member:
        """Start a job runner with ``more`` variables."""
        return self._start("work", more)

    def _start(self, command: str, more: dict[str, str]) -> Member:
        named = {PREFIX + name: value for name, value in more.items()}
        member = Member(f"{command} {len(self.members)}", (command,), self.environment | named)
        self.members.append(member)
        member.start()
        return member

    def alert(self) -> UUID:
        """Raise an emergency about one more patient of Bo's from the side, and return its id."""
        now = datetime.now(UTC)
        with self.database.write(Extent.ALL) as session:
            work = Work(session, now, system(self.people.ana.clinic_id))
            about = {"name": "Pat", "zone": "Europe/Oslo", "clinician_id": self.people.bo.account_id}
            patient = patients.create(work, about)
            day = local_days.of(work, now, patient.zone)
            found = Finding(AlertFamily.SIDE_EFFECT, AlertClass.P0, day, ("chest_pain",), "Reported.")
            alert = episodes.raise_alert(work, patient, found)
            assert alert is not None
            return alert.id

    def rows(self, question: str, **parts: Any) -> list[Any]:
        """Return what the database answers."""
        with self.database.engine.begin() as connection:
            return list(connection.execute(text(question), parts).all())

    def probe(self) -> UUID | None:
        """Return the id of the alert that a worker opens by itself, None where there is none yet."""
        rows = self.rows("SELECT subject_id FROM deliveries WHERE template = 'probe'")
        return rows[0].subject_id if rows else None

    def is_told(self, alert: UUID | None) -> bool:
        """Return whether everybody who is to hear of an alert was sent what the mail server has."""
        rows = self.rows("SELECT id, state FROM deliveries WHERE subject_id = :id", id=alert)
        sent = {str(row.id) for row in rows if row.state == "accepted"}
        return 0 < len(rows) == len(sent & set(self.arrived()))

    def arrived(self) -> list[str]:
        """Return the id of each message that the mail server has, as often as it got it."""
        return [str(one["Message-ID"]).strip("<>").partition("@")[0] for one in list(self.mail.received)]


@contextmanager
def house(url: str, app: Flask, folder: Path, mail: Peer | None = None) -> Iterator[House]:
    """Found Ana's clinic in the database at ``url`` with ``app``; all processes are gone at the end."""
    settings = Settings(database_url=url, data_dir=folder, jwt_key=JWT_KEY, master_key=MASTER_KEY)
    settings = replace(settings, password_cost="cheap")
    database = Database(url, master_keys(settings))
    app.extensions[EXTENSION] = Surroundings(
        settings, database, lambda: datetime.now(UTC), Passwords("cheap")
    )
    mail = mail or Peer()
    with listening(mail) as port:
        known = House(database, found_clinic(app), mail, _environment(settings, port))
        try:
            yield known
        finally:
            for member in known.members:
                member.kill()
            empty(database)
            database.close()


def _environment(settings: Settings, mail: int) -> dict[str, str]:
    wanted = {
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "JWT_KEY": settings.jwt_key,
        "MASTER_KEY": settings.master_key,
        "SMTP_URL": f"smtp://127.0.0.1:{mail}",
        "PASSWORD_COST": "cheap",
        "REQUESTS_PER_MINUTE": "0",
    }
    return {PREFIX + name: value for name, value in wanted.items()}


def asked(port: int, who: Person | None, method: str, path: str, body: Any = None) -> HTTPResponse:
    """Ask for something and return the answer, read."""
    line = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Connection": "close"}
    if who is not None:
        headers["Authorization"] = f"Bearer {who.token}"
    line.request(method, path, None if body is None else json.dumps(body), headers)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer


def comes_true(what: Callable[[], bool], seconds: float = 15) -> bool:
    """Return whether something becomes true in time."""
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.05)
    return what()
