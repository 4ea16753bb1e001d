"""Gaps in the rotas of the days ahead: write to the clinics' admins before an alert goes nowhere."""

from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around
from jobs.each_clinic import each_clinic
from server.services.alerts import coverage as coverages
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Look at every clinic, each in its own transaction; return how many messages were written."""
    return each_clinic(around, "looking at the rota", partial(_tell, around, now))


def _tell(around: Around, now: datetime, clinic_id: UUID) -> int:
    with around.database.write() as session:
        return coverages.tell(Work(session, now, system(clinic_id)))
