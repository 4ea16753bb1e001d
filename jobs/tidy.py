"""The run ledger and probes are for the last weeks, not for ever; a webhook's old secret is for a day.

What an earlier version left behind, too.
"""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_clinic
from jobs.unfinished import sweep_copies
from server.isolation import Extent
from server.services import job_run as job_runs
from server.services import tally
from server.services.messages import probe as probes
from server.services.messages import webhook as webhooks
from server.services.people import caregiver as caregivers
from server.services.people import recovery as recoveries
from server.services.people import sign_in_refresh as refreshes
from server.services.people import ticket as tickets
from server.services.work import Work, system

KEPT, PROBES_KEPT = timedelta(days=30), timedelta(days=7)


def run(around: Around, now: datetime) -> int:
    """Forget runs (30 days), probes (7 days), old secrets, tries, caregivers of closed accounts.

    Return how many. Raises `Incomplete`, at the end, where that failed at a clinic.
    """
    with around.database.write(Extent.ALL) as session:
        gone = tickets.forget(session, now) + recoveries.forget(session, now)
        gone += refreshes.forget(session, now)
        gone += tally.tidy(session, now)
        gone += probes.forget(session, now - PROBES_KEPT) + job_runs.forget(session, now - KEPT)
    # What a killed backup or restore has left of an embedded database: a plain copy of all of it.
    gone += sweep_copies(around.database.file) if around.database.file else 0
    return gone + each_clinic(around, "tidying", partial(_of_clinic, around, now))


def _of_clinic(around: Around, now: datetime, clinic_id: UUID) -> int:
    with around.database.write() as session:
        gone = webhooks.drop_expired_secrets(Work(session, now, system(clinic_id)))
    with around.database.write() as session:
        return gone + caregivers.end_unseen(Work(session, now, system(clinic_id)))
