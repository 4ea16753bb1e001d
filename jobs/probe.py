"""Every quarter of an hour an emergency of nobody goes over every channel, and the one before is judged."""

import logging
from datetime import datetime

from jobs.around import Around, Incomplete
from jobs.probe_destinations import destinations
from server.isolation import Extent
from server.services.messages import probe as probes
from server.services.messages.probe import Verdict

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Judge the probe before, then send the next; return over how many channels it goes.

    Raises `Incomplete` where a channel did not take the one before in time, so that the run ledger says so.
    """
    settings = around.settings
    with around.database.write(Extent.ALL) as session:
        work = probes.ready(session, now, settings.operations_address, destinations(settings))
        judged = probes.judge(work)
        sent = probes.send(work)
    bad = [f"{one.channel} {one.verdict}" for one in judged if one.verdict is not Verdict.OK]
    if bad:
        log.error("the last probe: %s", ", ".join(bad))
        raise Incomplete("a channel did not take the probe in time")
    return sent
