"""What else was reported around a signal, put beside a finding for the one who judges it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select

from server.clinical.confounders import DaySaid, confounders, first_day, plain, sentence
from server.clinical.vocabulary import Adherence, Circumstance
from server.models import Entry, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts.episode import Finding
from server.services.asking import between, of_patient
from server.services.people import zone_change as zone_changes
from server.services.watch import policy as policies
from server.services.work import Work

_ENTRIES = (
    select(
        Entry.id,
        Entry.local_day,
        Entry.items,
        Entry.side_effects,
        Entry.medication,
        Entry.sealed_circumstances,
    )
    .where(*of_patient(Entry), Entry.deleted_at.is_(None), between(Entry.local_day))
    .order_by(Entry.local_day, Entry.id)
)


def beside(work: Work, patient: Patient, finding: Finding, since: date) -> Finding:
    """Return ``finding``, about a signal that began on ``since``, with what else was reported.

    Only its words and its evidence grow: what was judged stays as it is.
    """
    policy = policies.of_patient(work, patient)
    said = _said(work, patient, first_day(since, policy), finding.day)
    travelled = [local_days.of(work, one.since, one.zone) for one in zone_changes.journeys(work, patient.id)]
    found = confounders(said, travelled, since, finding.day, policy)
    summary = f"{_closed(finding.summary)} {sentence(found)}" if found else finding.summary
    return replace(finding, summary=summary, evidence={**finding.evidence, "confounders": plain(found)})


def _closed(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _said(work: Work, patient: Patient, first: date, last: date) -> Sequence[DaySaid]:
    rows = work.rows(_ENTRIES, patient=patient.id, first=first, last=last)
    return [
        DaySaid(
            day=row.local_day,
            adherence=None if (taken := row.medication.get("adherence")) is None else Adherence(taken),
            rescue_doses=row.medication.get("rescue_doses") or 0,
            opioid_changed=bool(row.medication.get("opioid_changed")),
            circumstances=_circumstances(
                work, (work.clinic_id, patient.id, row.id), row.sealed_circumstances
            ),
            side_effects=row.side_effects,
            sleep_hours=row.items.get("sleep_hours"),
        )
        for row in rows
    ]


def _circumstances(work: Work, key: vault.Key, sealed: bytes | None) -> Sequence[Circumstance]:
    return [Circumstance(what) for what in vault.opened_value(work, Entry, key, "circumstances", sealed)]
