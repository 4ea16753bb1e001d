"""One piece of work for every clinic: what fails for one is said, and the others do not wait for it."""

import logging
from collections.abc import Callable
from uuid import UUID

from jobs.around import Around, Incomplete
from server.isolation import Scope
from server.services.people import clinic as clinics

log = logging.getLogger(__name__)


def each_clinic(around: Around, what: str, do: Callable[[UUID], int]) -> int:
    """Do ``what`` for every clinic; return the sum of what ``do`` returned.

    Raises `Incomplete`, at the end, where it failed for some. The log names clinic and kind of error.
    """
    with around.database.read(Scope.ALL) as session:
        ids = clinics.every_id(session)
    done = [_careful(what, do, clinic_id) for clinic_id in ids]
    if None in done:
        raise Incomplete(f"{what}: not for every clinic")
    return sum(one or 0 for one in done)


def _careful(what: str, do: Callable[[UUID], int], clinic_id: UUID) -> int | None:
    try:
        return do(clinic_id)
    except Exception as error:
        # Whatever it is, it is about this clinic.
        log.error("%s failed for clinic %s: %s", what, clinic_id, type(error).__name__)
        return None
