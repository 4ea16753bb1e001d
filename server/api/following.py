"""Patients' reads from a replica: which requests may go there, and what a client is told to bring along."""

import re
from contextlib import AbstractContextManager

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from server.database import Database
from server.replica import Replica

HEADER = "Afterglow-Seen"
_PLACE = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")


def read(database: Database, replica: Replica | None, may_follow: bool) -> AbstractContextManager[Session]:
    """Open a reading transaction: on the replica for who ``may_follow`` and says what they have seen.

    Who does not say it may have written a moment ago, and reads from the primary.
    """
    seen = request.headers.get(HEADER, "")
    if replica is None or not may_follow or not _PLACE.fullmatch(seen):
        return database.read()
    return replica.read(seen)


def note_write(replica: Replica | None) -> None:
    """Remember, for the answer, how far the database is after this request's write was committed."""
    if replica is not None:
        g.seen = replica.place()


def register(app: Flask) -> None:
    """Tell clients what they have seen."""
    app.after_request(_tell)


def _tell(answer: Response) -> Response:
    if seen := g.pop("seen", None):
        answer.headers[HEADER] = seen
    return answer
