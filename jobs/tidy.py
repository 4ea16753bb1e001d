"""The run ledger and probes are for the last weeks, not for ever; a webhook's old secret is for a day."""

from datetime import datetime, timedelta

from jobs.around import Around
from jobs.unfinished import sweep_copies
from server.isolation import Extent
from server.services import job_run as job_runs
from server.services import tally
from server.services.messages import probe as probes
from server.services.messages import webhook as webhooks
from server.services.people import clinic as clinics
from server.services.people import recovery as recoveries
from server.services.people import sign_in_refresh as refreshes
from server.services.people import ticket as tickets
from server.services.visits import scheduling_event as scheduling_events
from server.services.work import Work, system

KEPT, PROBES_KEPT = timedelta(days=30), timedelta(days=7)


def run(around: Around, now: datetime) -> int:
    """Forget runs and systems' messages (30 days), probes (7 days), old secrets, tries; return how many."""
    with around.database.write(Extent.ALL) as session:
        works = [Work(session, now, system(clinic_id)) for clinic_id in clinics.every_id(session)]
        secrets = sum(webhooks.drop_expired_secrets(work) for work in works)
        gone = scheduling_events.forget(session, now)
        gone += tickets.forget(session, now) + recoveries.forget(session, now)
        gone += refreshes.forget(session, now)
        gone += tally.tidy(session, now)
        gone += probes.forget(session, now - PROBES_KEPT) + job_runs.forget(session, now - KEPT)
    # What a killed backup or restore has left of an embedded database: a plain copy of all of it.
    copies = sweep_copies(around.database.file) if around.database.file else 0
    return secrets + gone + copies
