"""Ana's clinic with a small practice's system connected: both sides of a visit, and the line between them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from standardwebhooks import Webhook
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from jobs import booking_sync
from jobs.around import Around
from server.database import Database
from server.models import BookingSuggestion, ReviewTask, SchedulingCopy
from server.services import vault
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.gateways.scheduling import http_configs
from tests.gateways.scheduling.proxy import Proxy, passing_on
from tests.gateways.scheduling.small_clinic import LIVE, SmallClinic, Visit, open_for_business
from tests.visits import Visits

CONNECTIONS = "/clinic/scheduling-connections"


@dataclass
class Practice:
    """The practice's own book and staff; ``line`` is what lies between it and us."""

    app: Flask
    around: Around
    clock: Clock
    cast: Cast
    visits: Visits
    system: SmallClinic
    line: Proxy
    connection: str = ""
    secret: str = ""
    suggestion: str = ""

    def connect(self) -> None:
        """Let the clinic's admin connect it, with Ana's number there."""
        config = {**deepcopy(http_configs.SEARCHED), "base_url": f"http://127.0.0.1:{self.line.port}/api"}
        body = {"kind": "http", "name": "The practice's book", "config": config}
        made = self.cast.admin.post(CONNECTIONS, body)
        assert made.status_code == 201, made.text
        self.connection, self.secret = made.json["connection"]["id"], made.json["secret"]
        patient = f"{CONNECTIONS}/{self.connection}/mappings/patient/{self.cast.ana.patient_id}"
        assert self.cast.admin.put(patient, {"theirs": "card-4711"}).status_code == 200

    def approve(self) -> str:
        """Let Bo approve a visit for Ana."""
        self.suggestion = self.visits.approved()
        return self.suggestion

    def sync(self, minutes: float = 0) -> int:
        """Let time pass and the job run."""
        return booking_sync.run(self.around, self.clock.forward(minutes=minutes))

    def settle(self) -> None:
        """Let the job run until both sides have said all they have to say: a day at the most."""
        for _ in range(6):
            self.sync(minutes=35)
        self.sync(minutes=60 * 24)

    def booked_visit(self) -> Visit:
        """Return the one visit of the practice for our suggestion."""
        (visit,) = self.system.labelled(self.suggestion)
        return visit

    def live(self) -> int:
        """Count the visits that stand there for our suggestion."""
        return sum(visit.phase in LIVE for visit in self.system.labelled(self.suggestion))

    def staff(self, phase: str, begins: datetime | None = None) -> None:
        """Let the practice's staff change the visit."""
        self.system.change(self.booked_visit().number, phase, begins)

    def message(self, number: str | None = None, **parts: Any) -> tuple[bytes, dict[str, str]]:
        """Return a signed message of the practice about a visit, as body and headers."""
        number = number or self.booked_visit().number
        about = {"about": {"number": number}, "at": parts.pop("at", self.clock.now).isoformat()}
        body, name = json.dumps(about), parts.pop("name", str(uuid7()))
        stamp = parts.pop("stamp", self.clock.now)
        signature = Webhook(parts.pop("secret", self.secret)).sign(name, stamp, body)
        headers = {"webhook-id": name, "webhook-timestamp": str(int(stamp.timestamp()))}
        return body.encode(), headers | {"webhook-signature": signature, "content-type": "application/json"}

    def send(self, body: bytes, headers: dict[str, str]) -> TestResponse:
        """Let a message of the practice come in."""
        path = f"/v1/scheduling-events/{self.connection}"
        return self.app.test_client().post(path, data=body, headers=headers)

    def row(self) -> BookingSuggestion:
        """Return our side of the visit."""
        with self.around.database.read() as session:
            return session.get_one(BookingSuggestion, (self.cast.ana.clinic_id, UUID(self.suggestion)))

    def copy(self) -> SchedulingCopy:
        """Return what we know of the other side."""
        with self.around.database.read() as session:
            return session.get_one(SchedulingCopy, (self.cast.ana.clinic_id, UUID(self.suggestion)))

    def state(self) -> str:
        """Return where the visit stands with us."""
        return str(self.row().state)

    def tasks(self) -> list[str]:
        """Return the codes of what a person has to look at, oldest first."""
        with self.around.database.read() as session:
            rows = list(session.scalars(select(ReviewTask).order_by(ReviewTask.id)))
            work = Work(session, self.clock.now, system(self.cast.ana.clinic_id))
            return [str(row.code) for row in vault.opened(work, rows)]


@contextmanager
def practice_at(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> Iterator[Practice]:
    """Open the practice for business, connected to Ana's clinic."""
    around = Around(database, replace(settings, allow_loopback_egress="yes"), {})
    with open_for_business(SmallClinic()) as clinic, passing_on(Proxy(clinic.port)) as line:
        made = Practice(app, around, clock, cast, Visits(app, cast), clinic, line)
        made.connect()
        yield made
