"""A diary for research: numbers by day, of who agreed, without name, id, date or a word of their own.

Days are counted from the first thing in the diary; a person is named by a keyed digest that means nothing
outside the clinic. Of when the file was made it says the year alone: from the day, whoever logged until then
could be counted back to every date. What a clock dated that was off by a day or more is left out: its day is
wrong, and the year in which such clocks begin would tell all others. Who withdraws or leaves is in no file
that is made from then on.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical import substance_use
from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import Purpose, Sensitivity, SessionStatus
from server.models import Patient, TreatmentSession
from server.services import vault
from server.services.errors import NotFound
from server.services.journal import reported
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.scales import reliable_day as reliable_days
from server.services.work import Work

FORMAT, FORMAT_VERSION = "afterglow-research", 2
Row = dict[str, Any]
_NUMBERS = ("items", "side_effects", "safety", "medication", "entered_by")
# By which scale a total is made, and of what: totals of two versions are not of one measure, and the watch
# counts none that was answered again.
_SCORED = {
    "scale": "instrument",
    "version": "instrument_version",
    "total": "total",
    "prorated": "prorated",
    "superseded": "superseded",
}


def head(work: Work) -> Row:
    """Return what stands at the top of a file."""
    said = {"format": FORMAT, "format_version": FORMAT_VERSION, "made_in": work.now.year}
    return said | {"redisclosure_notice": substance_use.REDISCLOSURE}


def agreed(work: Work) -> Iterator[UUID]:
    """Yield the clinic's patients whose consent to research holds now and who do not leave.

    In the order of their digests: in that of their enrolment, a list of the clinic's patients beside the
    file would say who is who.
    """
    query = select(Patient.id).where(Patient.clinic_id == work.clinic_id, Patient.leaving_at.is_(None))
    for patient_id in sorted(work.session.scalars(query), key=lambda one: _person(work, one)):
        if consents.allows(work, patient_id, Purpose.RESEARCH):
            yield patient_id


def rows(work: Work, patient_id: UUID) -> list[Row]:
    """Return a patient's rows (sessions, entries, filled scales), and record that they go into a file.

    Raises NotFound of who leaves or is gone, and Withheld without consent. No erasure begins meanwhile.
    """
    if not patients.stays(work, patient_id):
        raise NotFound("patient")
    consents.require(work, patient_id, Purpose.RESEARCH)
    work.audit("research.export", patient_id)
    person = _person(work, patient_id)
    with_use = consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)
    found = sorted(_found(work, patient_id, with_use), key=lambda row: row[0])
    first = found[0][0] if found else date.min
    return [{"person": person, "day": (day - first).days, **row} for day, row in found]


def _person(work: Work, patient_id: UUID) -> str:
    return vault.digest(work, Patient, (work.clinic_id, patient_id), "research")[:24]


def _found(work: Work, patient_id: UUID, with_use: bool) -> Iterator[tuple[date, Row]]:
    yield from _sessions(work, patient_id)
    # A phone's clock that was reset names a day long ago, from which on all the others would be dates.
    for entry in reported.entries(work, patient_id):
        if entry.deleted_at is None and entry.day_reliable:
            said = {name: getattr(entry, name) for name in _NUMBERS}
            yield entry.local_day, {"kind": "entry", **(said if with_use else substance_use.without(said))}
    reliable = reliable_days.ids(work, patient_id)
    for one in reported.filled(work, patient_id):
        is_plain = one.sensitivity is Sensitivity.ORDINARY
        may_leave = one.instrument not in RATED and (with_use or is_plain)
        if one.deleted_at is None and may_leave and one.id in reliable:
            yield one.local_day, {"kind": "scale", **{name: getattr(one, of) for name, of in _SCORED.items()}}


def _sessions(work: Work, patient_id: UUID) -> Iterator[tuple[date, Row]]:
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status == SessionStatus.DELIVERED,
    )
    for session in work.session.scalars(query):
        yield session.local_day, {"kind": "session", "route": session.route}
