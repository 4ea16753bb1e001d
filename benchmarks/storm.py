"""A storm: 10,000 alerts at the same moment in one clinic with a dozen clinicians, and nobody's left out.

Delivered by the job over a recording twin, so what is measured is the queue itself. Then nobody answers:
the look after 15 minutes, at which every emergency climbs to everybody. Run: `python -m benchmarks.storm`.
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, fresh
from benchmarks.ground import PASSWORD
from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import TAKEN, Channel, Role
from server.database import Database
from server.gateways.message import Message, Receipt, RecordingGateway
from server.isolation import Extent
from server.models import Delivery
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.settings import Settings, master_keys
from tests.faults.storm import break_out

CLINICIANS, FIRST_STEP = 12, timedelta(minutes=15)


@dataclass
class Timed(RecordingGateway):
    """A twin that notes when each message came, in seconds."""

    at: list[float] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Note the time."""
        self.at.append(time.monotonic())
        return super().send(message)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000, help="how many patients at once")
    parser.add_argument("--database", choices=KINDS, help="only this kind")
    options = parser.parse_args()
    logging.getLogger("jobs").setLevel(logging.ERROR)
    parts = ("alerts told of", "messages", "deliveries", "last first message s", "drained s")
    table = Table("database", "when", *parts)
    for kind in [options.database] if options.database else KINDS:
        for row in _measure(kind, options.alerts):
            table.add_row(kind, *row)
    Console().print(table)


def _measure(kind: str, number: int) -> Iterator[tuple[str, ...]]:
    with fresh(kind) as (url, folder):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        now, mail = datetime.now(UTC), Timed()
        clinic, people = _clinic(database, now)
        break_out(database, (clinic, people), now, number)
        around = Around(database, Settings(data_dir=folder), {Channel.EMAIL: mail})
        yield "at once", *_drain(around, mail, now)
        later = now + FIRST_STEP
        began = time.monotonic()
        climbed = escalate.run(around, later)
        yield f"{climbed} climb, {time.monotonic() - began:.1f} s", *_drain(around, mail, later)
        database.close()


def _drain(around: Around, mail: Timed, now: datetime) -> tuple[str, ...]:
    """Deliver until nothing waits; return the alerts told of, messages, deliveries taken, and times."""
    mail.sent.clear(), mail.at.clear()
    began = time.monotonic()
    while deliver.run(around, now + timedelta(seconds=time.monotonic() - began)):
        pass
    took = time.monotonic() - began
    first: dict[str, float] = {}
    for message, at in zip(mail.sent, mail.at, strict=True):
        first.setdefault(message.to, at - began)
    alerts, left, taken = _counts(around.database)
    assert not left, f"{left} deliveries still wait"
    return str(alerts), str(len(mail.sent)), str(taken), f"{max(first.values()):.1f}", f"{took:.1f}"


def _counts(database: Database) -> tuple[int, int, int]:
    with database.read(Extent.ALL) as session:
        grouped = select(Delivery.state, func.count()).group_by(Delivery.state)
        states = Counter(dict(session.execute(grouped).all()))
        told = select(func.count(Delivery.subject_id.distinct())).where(Delivery.state.in_(TAKEN))
        alerts = session.scalar(told) or 0
    taken = sum(states[state] for state in TAKEN)
    return alerts, states.total() - taken, taken


def _clinic(database: Database, now: datetime) -> tuple[UUID, list[UUID]]:
    passwords = Passwords("cheap")
    with database.write() as session:
        work = Work(session, now, system(uuid7()))
        clinics.create(work, slug="bench", name="Bench", zone="Europe/Oslo", country="GB")
        names = [f"Doc{n}" for n in range(CLINICIANS)]
        made = (NewAccount(Role.CLINICIAN, name, f"{name}@bench.example", PASSWORD) for name in names)
        return work.clinic_id, [accounts.create(work, new, passwords).id for new in made]


if __name__ == "__main__":
    main()
