"""What every job works with."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import Gateway
from server.postgresql.bell import Bell
from server.settings import Settings

# Nothing is begun once half of it is over: the rest is longer than a conversation with a slow far end.
LEASE = timedelta(minutes=2)


class Incomplete(Exception):
    """A run did what it could and something stayed undone: the run ledger must not call it a success."""


@dataclass(frozen=True, slots=True)
class Around:
    """The database, the settings, the channels that are armed, and the wish to stop.

    A job that sees ``stopping`` set ends after the piece of work in hand; the rest stays due. For
    ``linger`` the delivery goes on looking for what is due, so that what is urgent leaves at once; ``bell``
    tells it when. ``lease``: for how long a message is one worker's; ``hands``: how many
    messages it hands to one mail server or SMS gateway at once.
    """

    database: Database
    settings: Settings
    gateways: Mapping[Channel, Gateway]
    stopping: threading.Event = field(default_factory=threading.Event)
    linger: timedelta = timedelta()
    bell: Bell = field(default_factory=Bell)
    lease: timedelta = LEASE
    hands: int = 1
