"""What else was reported around a signal, put beside a finding for the one who judges it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select

from server.clinical.confounders import DaySaid, confounders, first_day, plain, sentence
from server.clinical.vocabulary import Adherence, Circumstance
from server.models import Entry, Patient
from server.services import local_day as local_days
from server.services import policy as policies
from server.services import vault
from server.services import zone_change as zone_changes
from server.services.episode import Finding
from server.services.work import Work


def beside(work: Work, patient: Patient, finding: Finding, since: date) -> Finding:
    """Return ``finding``, about a signal that began on ``since``, with what else was reported.

    Only its words and its evidence grow: what was judged stays as it is.
    """
    policy = policies.of_patient(work, patient)
    said = _said(work, patient, first_day(since, policy), finding.day)
    travelled = [local_days.of(work, one.since, one.zone) for one in zone_changes.history(work, patient.id)]
    found = confounders(said, travelled, since, finding.day, policy)
    summary = f"{_closed(finding.summary)} {sentence(found)}" if found else finding.summary
    return replace(finding, summary=summary, evidence={**finding.evidence, "confounders": plain(found)})


def _closed(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _said(work: Work, patient: Patient, first: date, last: date) -> Sequence[DaySaid]:
    query = select(Entry).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient.id,
        Entry.deleted_at.is_(None),
        Entry.local_day.between(first, last),
    )
    entries = vault.opened(work, work.session.scalars(query.order_by(Entry.local_day, Entry.id)).all())
    return [_of(entry) for entry in entries]


def _of(entry: Entry) -> DaySaid:
    taken = entry.medication.get("adherence")
    return DaySaid(
        day=entry.local_day,
        adherence=None if taken is None else Adherence(taken),
        rescue_doses=entry.medication.get("rescue_doses") or 0,
        opioid_changed=bool(entry.medication.get("opioid_changed")),
        circumstances=[Circumstance(what) for what in entry.circumstances],
        side_effects=entry.side_effects,
        sleep_hours=entry.items.get("sleep_hours"),
    )
