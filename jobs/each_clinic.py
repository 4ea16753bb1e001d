"""One piece of work for every clinic: what fails for one is said, and the others do not wait for it."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from server.isolation import Extent
from server.services.people import clinic as clinics

log = logging.getLogger(__name__)


def each_clinic(around: Around, what: str, do: Callable[[UUID], int], closed_too: bool = False) -> int:
    """Do ``what`` for every clinic; return the sum of what ``do`` returned.

    ``closed_too``: also for closed clinics and for that of operations, which have logs like the others.

    Raises `Incomplete`, at the end, where it failed for some. The log names clinic and kind of error.
    """
    with around.database.read(Extent.ALL) as session:
        every = clinics.ever(session) if closed_too else []
        ids = [clinic.id for clinic in every] or clinics.every_id(session)
    return each_of(ids, what, do)


def each_of(ids: Iterable[UUID], what: str, do: Callable[[UUID], int]) -> int:
    """Do ``what`` for the clinics ``ids``, as `each_clinic` does for every one."""
    done = [careful(log, f"{what} failed for clinic {one}", partial(do, one)) for one in ids]
    if None in done:
        raise Incomplete(f"{what}: not for every clinic")
    return sum(one or 0 for one in done)
