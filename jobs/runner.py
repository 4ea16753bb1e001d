"""Runs a job in its slot, once, and writes the run ledger. One job's failure never stops another."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

from jobs import (
    audit_anchor,
    audit_seal,
    audit_verify,
    booking_sync,
    coverage,
    day_close,
    deliver,
    digest,
    erase,
    escalate,
    heartbeat,
    maintenance_due,
    policy_replay,
    probe,
    recover,
    remind,
    reseal,
    retention,
    tidy,
    visit_early,
    visit_outcome,
    visit_unseen,
)
from jobs.around import Around
from jobs.regularly import regularly
from jobs.stopwatch import Stopwatch
from jobs.timetable import Job
from server.isolation import Extent
from server.logs import kind_of
from server.services import job_run as job_runs
from server.services.job_run import Slot

log = logging.getLogger(__name__)

RUNS: Mapping[str, Callable[[Around, datetime], int]] = MappingProxyType(
    {
        "day_close": day_close.run,
        "maintenance_due": maintenance_due.run,
        "visit_early": visit_early.run,
        "escalate": escalate.run,
        "remind": remind.run,
        "probe": probe.run,
        "deliver": deliver.run,
        "recover": recover.run,
        "booking_sync": booking_sync.run,
        "policy_replay": policy_replay.run,
        "coverage": coverage.run,
        "digest": digest.run,
        "visit_unseen": visit_unseen.run,
        "visit_outcome": visit_outcome.run,
        "audit_seal": audit_seal.run,
        "audit_anchor": audit_anchor.run,
        "audit_verify": audit_verify.run,
        "erase": erase.run,
        "reseal": reseal.run,
        "retention": partial(regularly, "retention", retention.run),
        "tidy": partial(regularly, "tidy", tidy.run),
        "heartbeat": heartbeat.run,
    }
)


def run_once(
    job: Job, around: Around, now: datetime, runs: Mapping[str, Callable[[Around, datetime], int]] = RUNS
) -> int | None:
    """Run ``job`` for the slot of ``now``; return how many things it did.

    None where there was nothing to run (another worker has the slot) or it failed; a failure is in
    the ledger as the name of its class. Its text may quote health data and is never kept.
    """
    slot = Slot(job.name, job.slot_of(now))
    try:
        if not _is_ours(job, around, slot, now):
            return None
        return _run(around, slot, now, runs[job.name])
    except Exception as error:
        # The ledger could not be written: the database is away. The next tick finds the work again.
        log.error("%s did not run: %s", job.name, kind_of(error))
        return None


def _is_ours(job: Job, around: Around, slot: Slot, now: datetime) -> bool:
    with around.database.write(Extent.NONE) as session:
        first = job_runs.begin(session, slot, now)
    return first or job.always_looks


def _run(around: Around, slot: Slot, now: datetime, run: Callable[[Around, datetime], int]) -> int | None:
    done, failure, watch = 0, None, Stopwatch(now)
    try:
        done = run(around, now)
    except Exception as error:
        failure = type(error).__name__
        log.error("%s failed: %s", slot.job, kind_of(error))
    with around.database.write(Extent.NONE) as session:
        job_runs.end(session, slot, watch.moment(), done, failure)
    return None if failure else done
