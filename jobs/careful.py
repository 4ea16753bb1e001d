"""One thing among many: what fails about it is said, and the others do not wait for it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from server.logs import kind_of
from server.postgresql.rerun import rerun

R = TypeVar("R")


def careful(log: logging.Logger, failed: str, do: Callable[[], R]) -> R | None:
    """Return what ``do`` returns; None where it failed, which is logged as ``failed`` and the kind of error.

    The caller counts the Nones and raises `Incomplete` at the end: a run that passed somebody over is no
    success. An error's own text may quote health data and is never kept. What the database ended only to
    let others go on is done again.
    """
    try:
        return rerun(do)
    except Exception as error:
        # Whatever it is, it is about this one thing.
        log.error("%s: %s", failed, kind_of(error))
        return None
