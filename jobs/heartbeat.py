"""Tells an outside monitor that the watch is alive, but only where real work has been done in time."""

import logging
from datetime import datetime

from jobs.around import Around
from jobs.timetable import HEARTBEAT, LIMITS
from server.gateways import monitor
from server.isolation import Extent
from server.services.health import health, troubles

log = logging.getLogger(__name__)

# Of itself the heartbeat says nothing: it would never beat again.
OTHERS = tuple(limit for limit in LIMITS if limit[0] != HEARTBEAT)


class Unwell(Exception):
    """Something is wrong: the monitor must hear nothing, and so it alarms."""


def run(around: Around, now: datetime) -> int:
    """Call the monitor; raise `Unwell` (and call nobody) where the watch is not alive.

    That is: a job has not finished in time, a probe failed or came late, or an urgent message waits.
    """
    with around.database.read(Extent.ALL) as session:
        wrong = troubles(health(session, now, OTHERS))
    if wrong:
        log.error("no heartbeat: %s", " ".join(trouble.detail for trouble in wrong))
        raise Unwell
    if around.settings.heartbeat_url:
        monitor.call(around.settings.heartbeat_url)
    return 1
