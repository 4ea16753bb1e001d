"""Whether a clock that was ahead wrote something down: put back since, or that of another machine."""

from datetime import datetime, timedelta

from server.services.job_run import AHEAD
from server.services.people import clinic as clinics
from server.services.work import Work

# Nothing was written before there was a clinic: where that is still to come it is our own clock that is
# wrong, as one that began anew in 1970, and whatever it put right would have waited for years once it is
# set. A day: the clinic may have been opened by the clock that was ahead.
_OPENED_BY = timedelta(days=1)


def wrote(work: Work, moment: datetime) -> bool:
    """Say whether ``moment``, which was the time when it was written, is still to come."""
    return moment > work.now + AHEAD and is_ours_right(work)


def is_ours_right(work: Work) -> bool:
    """Say whether there can be the clinic at the time that our own clock shows."""
    return clinics.get(work).created_at <= work.now + _OPENED_BY
