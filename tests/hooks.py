"""A system of the clinic that listens: registered over HTTP, told by the real gateway, on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from standardwebhooks import Webhook

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import DeliverySubject
from server.database import Database
from server.models import Delivery
from tests.cast import Cast, Person
from tests.gateways.web_peers import Answering, Request, answering

HOOKS = "/clinic/webhooks"


@dataclass
class Listener:
    """What listens, as its webhook and secret say, and what it was told."""

    id: str
    secret: str
    url: str
    peer: Answering = field(default_factory=Answering)

    @property
    def path(self) -> str:
        """The path of the webhook."""
        return f"{HOOKS}/{self.id}"

    def events(self, secret: str | None = None) -> list[Any]:
        """Return what came in, each checked by the standard's own library; it goes by the real clock."""
        return [Webhook(secret or self.secret).verify(one.body, one.headers) for one in self.received]

    @property
    def received(self) -> list[Request]:
        """Return what came in."""
        return self.peer.received


@contextmanager
def listening(cast: Cast, who: Person | None = None, **parts: Any) -> Iterator[Listener]:
    """Run a receiver, and register it for the scheduling system or ``who``."""
    peer = Answering()
    with answering(peer) as port:
        url = f"http://127.0.0.1:{port}/hook"
        body = {"account_id": str((who or cast.scheduler).account_id), "url": url, **parts}
        made = cast.admin.post(HOOKS, body)
        assert made.status_code == 201, made.text
        yield Listener(made.json["webhook"]["id"], made.json["secret"], url, peer)


def told(database: Database) -> list[Delivery]:
    """Return the events of visits in the order in which they were written."""
    query = select(Delivery).where(Delivery.subject == DeliverySubject.SUGGESTION)
    with database.read() as session:
        return list(session.scalars(query.order_by(Delivery.created_at, Delivery.id)))


def send_now(around: Around) -> datetime:
    """Run the job once by the real clock, which the standard's library goes by; return when."""
    now = datetime.now(UTC)
    deliver.run(around, now)
    return now
