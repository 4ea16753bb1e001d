"""Who is told that the weekly digest is ready: once a week, when the clinic first works in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from server.clinical import week as weeks
from server.clinical.vocabulary import AlertClass, DeliverySubject, Role
from server.clinical.week import Week
from server.models import Account, AuditEvent
from server.services.alerts import alert_budget as alert_budgets
from server.services.alerts import digest as digests
from server.services.alerts import rota as rotas
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work

TOLD = "digest.tell"


@dataclass(frozen=True, slots=True)
class Round:
    """The digest of ``week`` is due, and these accounts are to hear of it (perhaps none)."""

    week: Week
    account_ids: Sequence[UUID]


def due(work: Work) -> Round | None:
    """Return the round that is due at the actor's clinic, or None.

    It falls due when the clinic first works in a week, and is made up for in later hours of work of
    that week. Clinicians and coordinators hear where the week before has anything to tell,
    administrators where a rule is over the alert budget.
    """
    hours = rotas.hours(work)
    begins, _ = _this_week(work)
    if not hours.is_open(work.now) or hours.next_opening(begins) > work.now:
        return None
    if clinics.get(work).created_at >= begins:
        return None  # it has no week to look back on yet
    week = digests.newest(work)
    if _is_told(work, week):
        return None
    return Round(week, [account_id for role in _roles(work, week) for account_id in _ids(work, role)])


def tell(work: Work, found: Round) -> int:
    """Write the messages of a round; return how many. 0 where another worker was first."""
    clinics.lock(work)
    if _is_told(work, found.week):
        return 0
    _, ends = _this_week(work)
    told = 0
    for account in accounts.working(work, found.account_ids).values():
        notice = Notice(
            key=f"digest:{account.id}:{found.week}",
            template=_template(account),
            subject=DeliverySubject.DIGEST,
            subject_id=account.id,
            urgency=AlertClass.P3,
            expires_at=ends,
        )
        told += deliveries.call(work, account, notice) is not None
    work.audit(TOLD, object_id=str(found.week))
    return told


def _template(account: Account) -> str:
    # An administrator sees no patient, and so not the digest.
    return "rule_over_budget" if account.role is Role.CLINIC_ADMIN else "weekly_digest"


def _this_week(work: Work) -> tuple[datetime, datetime]:
    zone = clinics.get(work).zone
    return weeks.at(work.now, zone).span(zone)


def _roles(work: Work, week: Week) -> Iterator[Role]:
    if digests.has_news(work, week):
        yield from (Role.CLINICIAN, Role.COORDINATOR)
    if any(rule.over_budget for rule in alert_budgets.read(work).budget.rules):
        yield Role.CLINIC_ADMIN


def _ids(work: Work, role: Role) -> Iterator[UUID]:
    return (account.id for account in accounts.recipients(work, {role}))


def _is_told(work: Work, week: Week) -> bool:
    """Say whether the round of ``week`` was made: the audit log says so, also where nobody had to hear."""
    begins, _ = _this_week(work)
    made = select(AuditEvent.id).where(
        AuditEvent.clinic_id == work.clinic_id,
        AuditEvent.patient_id.is_(None),  # with the moment: one range of one index
        AuditEvent.at >= begins,
        AuditEvent.action == TOLD,
        AuditEvent.object_id == str(week),
    )
    return work.session.scalar(made.limit(1)) is not None
