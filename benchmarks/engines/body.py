"""The real job as an engine would run it, one delivery by its id; and a far end that outlives its senders."""

import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from jobs.messages import message
from server.database import Database
from server.gateways.message import Handed, Message, Receipt
from server.isolation import Extent
from server.models import Delivery
from server.services.messages import outbox, outbox_outcome
from server.services.messages.outbox_outcome import Taken
from server.settings import Settings, master_keys

# Steps of a job at which a worker can die: it has the job, the far end has the message, the note is stored.
STEPS = ("taken", "sent", "noted")
# With so many done in its life, a worker is well under way.
DIES_AT = 10


@dataclass
class Deadly:
    """Kills this process at one step, the first that comes so far; ``folder`` says which, and that it did."""

    folder: Path
    passed: int = 0

    def step(self, name: str) -> None:
        """Pass a step, or not."""
        plan = self.folder / "dies-at"
        if not plan.exists() or plan.read_text() != name:
            return
        self.passed += 1
        if self.passed >= DIES_AT:
            self._die_once()

    def _die_once(self) -> None:
        try:
            os.close(os.open(self.folder / "died", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class FileEnd:
    """A far end: a line in a file for each message it took, whoever lives on to hear of it."""

    folder: Path
    deadly: Deadly
    channel: str = "email"

    def lane(self, to: str) -> str:
        """One server serves everybody."""
        return self.channel

    def send(self, message: Message) -> Receipt:
        """Take it."""
        self.deadly.step("taken")
        with (self.folder / "sent").open("a") as file:
            file.write(f"{message.id}\n")
        self.deadly.step("sent")
        return Receipt(Handed.ACCEPTED)


class Body:
    """What an engine runs for each job. The engine says whose a job is, so the row's own lease is none."""

    def __init__(self, url: str, folder: Path) -> None:
        self.settings = Settings(database_url=url, data_dir=folder)
        self.database = Database(url, master_keys(self.settings))
        self.deadly = Deadly(folder)
        self.far_end = FileEnd(folder, self.deadly)

    def send_one(self, delivery_id: str) -> None:
        """Send one delivery, unless it was sent before."""
        now = datetime.now(UTC)
        query = select(Delivery).where(Delivery.id == UUID(delivery_id)).with_for_update()
        with self.database.write(Extent.ALL) as session:
            row = session.scalars(query).one_or_none()
            if row is None or row.finished_at is not None:
                return
            taken = outbox._take_or_end(session, now, timedelta(microseconds=1), lambda *_: True, row)
        for claimed in taken:
            self.far_end.send(message(self.settings, claimed, now))
            with self.database.write(Extent.ALL) as session:
                outbox_outcome.finish(session, datetime.now(UTC), claimed, Taken())
            self.deadly.step("noted")
