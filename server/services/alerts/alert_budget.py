"""The clinic's alert budget: gather the alerts of the last weeks, let the clinical core count them.

Four queries and one unsealing an alert (its codes, nothing else of it), however many there are; nothing
is kept between two readings.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select

from server.clinical import alert_budget
from server.clinical.alert_budget import Budget, Spoken, Stretch
from server.clinical.vocabulary import AlertClass, AlertState, Role, Usefulness
from server.models import Alert, AlertFeedback, Patient
from server.services import vault
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

_WEEK = timedelta(weeks=1)
_AT_ONCE = 1000  # rows in memory
Words = Mapping[UUID, Mapping[str, Usefulness]]


@dataclass(frozen=True, slots=True)
class Measured:
    """The budget of ``since`` (included) .. ``until``. ``patients``: enrolled by the end of it."""

    since: datetime
    until: datetime
    weeks: int
    patients: int
    clinicians: int
    policy_version: int
    budget: Budget


def read(work: Work, weeks: int = alert_budget.WEEKS) -> Measured:
    """Return the budget of the ``weeks`` (>= 1) up to now, by the policy in force. No patient is named."""
    since, policy = work.now - weeks * _WEEK, clinics.policy(work)
    enrolled = _enrolled(work)
    stretch = Stretch(
        weeks=weeks,
        patient_weeks=sum((work.now - max(at, since)) / _WEEK for at in enrolled),
        clinicians=len(accounts.recipients(work, {Role.CLINICIAN})),
    )
    found = _spoken(work, since, _words(work, since))
    return Measured(
        since=since,
        until=work.now,
        weeks=weeks,
        patients=len(enrolled),
        clinicians=stretch.clinicians,
        policy_version=policy.version,
        budget=alert_budget.budget(found, stretch, policy),
    )


def opened_between(work: Work, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what an alert of the clinic opened in ``since`` .. ``until`` (left out) fulfils.

    Those of patients who are about to be erased count no more.
    """
    return (
        Alert.clinic_id == work.clinic_id,
        # Every state and urgency: named, they let one index lead straight to the moment.
        Alert.state.in_([*AlertState]),
        Alert.urgency.in_([*AlertClass]),
        Alert.opened_at >= since,
        Alert.opened_at < until,
        patients.is_here(Alert),
    )


def _measured(work: Work, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return opened_between(work, since, work.now + timedelta.resolution)  # up to now, which is included


def _enrolled(work: Work) -> list[datetime]:
    query = select(Patient.enrolled_at).where(
        Patient.clinic_id == work.clinic_id, Patient.enrolled_at <= work.now, Patient.leaving_at.is_(None)
    )
    return [at for at in work.session.scalars(query) if at is not None]


def _words(work: Work, since: datetime) -> Words:
    """Return the newest word on each rule of each alert: where two people differ, the last one counts."""
    query = (
        select(AlertFeedback.alert_id, AlertFeedback.code, AlertFeedback.usefulness)
        .join(Alert, (Alert.clinic_id == AlertFeedback.clinic_id) & (Alert.id == AlertFeedback.alert_id))
        .where(*_measured(work, since))
        .order_by(AlertFeedback.at, AlertFeedback.account_id)
    )
    words: defaultdict[UUID, dict[str, Usefulness]] = defaultdict(dict)
    for row in work.session.execute(query):
        words[row.alert_id][row.code] = row.usefulness
    return words


def _spoken(work: Work, since: datetime, words: Words) -> Iterator[Spoken]:
    query = select(Alert.id, Alert.urgency, Alert.outcome, Alert.sealed_codes)
    query = query.where(*_measured(work, since)).execution_options(yield_per=_AT_ONCE)
    for row in work.session.execute(query):
        codes = vault.opened_value(work, Alert, (work.clinic_id, row.id), "codes", row.sealed_codes)
        yield Spoken(row.urgency, tuple(codes), row.outcome, words.get(row.id, {}))
