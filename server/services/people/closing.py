"""Close a clinic for good: its keys are destroyed, and nobody works there any more."""

from datetime import timedelta

from sqlalchemy import func, select, update

from server.clinical.plain_text import as_read
from server.clinical.vocabulary import AlertClass, DeliveryState
from server.models import (
    UNRESOLVED,
    Account,
    Alert,
    CalendarFeed,
    Clinic,
    Delivery,
    Invitation,
    LegalHold,
    Recovery,
    SchedulingConnection,
    SignIn,
)
from server.services import clinic_key as clinic_keys
from server.services.errors import Conflict
from server.services.people import clinic as clinics
from server.services.people import legal_hold as legal_holds
from server.services.work import Work

_WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENT)
# A hold's last day is over when it is over everywhere, wherever the patients are.
_LAST_ZONE = timedelta(hours=12)


def erase(work: Work, name: str) -> int:
    """Destroy the keys of the actor's clinic, whose ``name`` says that it is meant; return how many.

    Rows stay, unreadable where they were sealed; every account is closed. Again is harmless.
    Raises Conflict, also while a legal hold stands or an emergency (P0) is open: both need what keys open.
    """
    clinic = clinics.lock(work)
    if as_read(clinic.name) != as_read(name):
        raise Conflict("another-name", "That is not the name of this clinic.")
    if clinics.is_operations(work):
        raise Conflict("operations", "Whoever runs this service would hear of nothing any more.")
    _check_nothing_needs_them(work)
    return _close(work, clinic)


def erase_again(work: Work) -> bool:
    """Destroy keys that a restore has brought back; return whether there were any."""
    clinic = work.session.get(Clinic, work.clinic_id, with_for_update=True)
    return clinic is not None and _close(work, clinic) > 0


def _check_nothing_needs_them(work: Work) -> None:
    holds = select(func.count()).where(
        LegalHold.clinic_id == work.clinic_id, legal_holds.stands((work.now - _LAST_ZONE).date())
    )
    emergencies = select(func.count()).where(
        Alert.clinic_id == work.clinic_id,
        UNRESOLVED,
        Alert.urgency == AlertClass.P0,
    )
    if held := work.session.scalar(holds):
        raise Conflict("legal-hold", f"Legal holds that stand: {held}. Nothing they keep may be destroyed.")
    if waiting := work.session.scalar(emergencies):
        raise Conflict("alert-open", f"Emergencies that are open: {waiting}. They have to be closed first.")


def _close(work: Work, clinic: Clinic) -> int:
    ours, now = work.clinic_id, work.now
    clinic.erased_at = clinic.erased_at or now
    closed = update(Account).where(Account.clinic_id == ours, Account.disabled_at.is_(None))
    work.session.execute(closed.values(disabled_at=now))
    ended = update(SignIn).where(SignIn.clinic_id == ours, SignIn.revoked_at.is_(None))
    work.session.execute(ended.values(revoked_at=now))
    _end_what_leads_in(work)
    waiting = update(Delivery).where(Delivery.clinic_id == ours, Delivery.state.in_(_WAITING))
    given_up = {"state": DeliveryState.GIVEN_UP, "failure": "clinic_erased", "finished_at": now}
    work.session.execute(waiting.values(given_up))
    promised = update(Delivery).where(Delivery.clinic_id == ours, Delivery.report_by.is_not(None))
    work.session.execute(promised.values(report_by=None))  # nobody is told another way any more
    reached = update(SchedulingConnection).where(SchedulingConnection.clinic_id == ours)
    work.session.execute(reached.where(SchedulingConnection.retired_at.is_(None)).values(retired_at=now))
    return clinic_keys.destroy(work)


def _end_what_leads_in(work: Work) -> None:
    """End invitations, calendars' addresses and what was asked by who forgot a password.

    Without keys nobody could look at what was asked, and nobody is left to take an address away.
    """
    invited = update(Invitation).where(Invitation.clinic_id == work.clinic_id, Invitation.used_at.is_(None))
    work.session.execute(invited.where(Invitation.cancelled_at.is_(None)).values(cancelled_at=work.now))
    read = update(CalendarFeed).where(CalendarFeed.clinic_id == work.clinic_id)
    work.session.execute(read.where(CalendarFeed.revoked_at.is_(None)).values(revoked_at=work.now))
    asked = update(Recovery).where(Recovery.clinic_id == work.clinic_id, Recovery.looked_at.is_(None))
    work.session.execute(asked.values(looked_at=work.now))
