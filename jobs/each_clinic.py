"""One piece of work for every clinic: what fails for one is said, and the others do not wait for it."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from server.isolation import Extent
from server.services.people import clinic as clinics

log = logging.getLogger(__name__)


def each_clinic(around: Around, what: str, do: Callable[[UUID], int], with_operations: bool = False) -> int:
    """Do ``what`` for every clinic (and for that of operations); return the sum of what ``do`` returned.

    Raises `Incomplete`, at the end, where it failed for some. The log names clinic and kind of error.
    """
    with around.database.read(Extent.ALL) as session:
        ids = clinics.every_id(session)
        if with_operations and (operations := clinics.operations_id(session)):
            ids.append(operations)
    done = [careful(log, f"{what} failed for clinic {one}", partial(do, one)) for one in ids]
    if None in done:
        raise Incomplete(f"{what}: not for every clinic")
    return sum(one or 0 for one in done)
