"""One among many in a transaction: what fails about it is taken back, and the others go on without it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from server import convoy

log = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failed:
    """It failed, and nothing of it is left. ``kind`` names the error, whose text may quote anything."""

    kind: str


def tried(session: Session, do: Callable[[], R]) -> R | Failed:
    """Return what ``do`` returns, done within a savepoint.

    What the database itself is troubled by (it is away, or ends one so that others go on) is nobody's of
    those in hand: that is raised, and the transaction with all that it holds is given up.
    """
    session.flush()  # what was changed before is no part of it
    convoy.settle(session)
    try:
        with session.begin_nested():
            return do()
    except OperationalError:
        raise
    except Exception as error:
        session.expire_all()  # what was taken back must not be found again
        return Failed(type(error).__name__)


def alone(session: Session, failed: str, do: Callable[[], R]) -> R | None:
    """Return what ``do`` returns; None where it failed, which is logged as ``failed`` and its kind."""
    found = tried(session, do)
    if isinstance(found, Failed):
        log.error("%s: %s", failed, found.kind)
        return None
    return found
