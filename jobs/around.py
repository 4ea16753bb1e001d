"""What every job works with."""

import threading
from dataclasses import dataclass, field

from server.database import Database
from server.gateways.email import EmailGateway
from server.settings import Settings


class Incomplete(Exception):
    """A run did what it could and something stayed undone: the run ledger must not call it a success."""


@dataclass(frozen=True, slots=True)
class Around:
    """The database, the settings, the way out by e-mail, and the wish to stop.

    A job that sees ``stopping`` set ends after the piece of work in hand; the rest stays due.
    """

    database: Database
    settings: Settings
    email: EmailGateway
    stopping: threading.Event = field(default_factory=threading.Event)
