"""Whoever asked for a new password is written to, if there is such an account: apart from the asking."""

from datetime import datetime

from jobs.around import Around
from server.isolation import Extent
from server.services.people import recovery as recoveries


def run(around: Around, now: datetime) -> int:
    """Look at what was asked since the last time; return at how much."""
    looked = 0
    while (found := _batch(around, now)) > 0:
        looked += found
    return looked


def _batch(around: Around, now: datetime) -> int:
    with around.database.write(Extent.ALL) as session:
        return recoveries.look(session, now)
