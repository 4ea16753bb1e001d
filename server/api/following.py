"""Patients' reads from a replica: which requests may go there, and what a client is told to bring along."""

import re
from contextlib import AbstractContextManager

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from server.clinical.vocabulary import Role
from server.database import Database
from server.replica import Replica
from server.services.work import Actor

HEADER = "Afterglow-Seen"
_PLACE = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")


def read(database: Database, replica: Replica | None, who: Actor) -> AbstractContextManager[Session]:
    """Open a reading transaction: on the replica for a patient who says what they have seen.

    Who does not say it may have written a moment ago, and reads from the primary.
    """
    seen = request.headers.get(HEADER, "")
    if replica is None or who.role is not Role.PATIENT or not _PLACE.fullmatch(seen):
        return database.read(who.clinic_id)
    return replica.read(seen, who.clinic_id)


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
