"""Quiet hours of the staff: the hours of the clinic's clock in which only P0 is sent to them."""

from datetime import datetime, time
from uuid import UUID

from server.clinical.rota import Quiet
from server.clinical.vocabulary import AlertClass
from server.models import Account
from server.services.alerts import shift as shifts
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work


def set_hours(work: Work, begins: time | None, ends: time | None) -> Account:
    """Set the actor's own quiet hours, by the clinic's clock; None twice for none."""
    account = accounts.get(work)
    account.quiet_from = None if begins is None else begins.isoformat("minutes")
    account.quiet_until = None if ends is None else ends.isoformat("minutes")
    work.session.flush()
    work.audit("quiet-hours.set")
    return account


def released_at(work: Work, account: Account, urgency: AlertClass) -> datetime:
    """Return when a message of now may be sent to ``account``: now, or at the end of its quiet hours.

    Who is on call has none: that is what being on call means.
    """
    ends = ends_at(work, account, urgency)
    return work.now if ends > work.now and account.id in on_call(work) else ends


def ends_at(work: Work, account: Account, urgency: AlertClass) -> datetime:
    """Return the same of an account that is not on call."""
    if account.quiet_from is None or account.quiet_until is None:
        return work.now
    begins, ends = time.fromisoformat(account.quiet_from), time.fromisoformat(account.quiet_until)
    return Quiet(clinics.get(work).zone, begins, ends).released(work.now, urgency)


def on_call(work: Work) -> frozenset[UUID]:
    """Return the accounts that are on call now."""
    return frozenset(duty.account_id for duty in shifts.duties_now(work))
