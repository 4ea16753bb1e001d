"""Another password in place: who knows the one they have puts a new one, and stays signed in here alone.

Between `begin` and `change` the caller checks the old password and hashes the new one, outside any
transaction: both are slow on purpose.
"""

from sqlalchemy import update

from server.models import Account
from server.services.errors import DoesNotFit, StepUpRequired
from server.services.people import account as accounts
from server.services.people import (
    account_notice,
    password_rules,
    patient_invitation,
    recovery,
    sign_out,
    tries,
)
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people import sign_in as sign_ins
from server.services.people import sign_in_step as steps
from server.services.work import Work


def begin(work: Work, password: str, factor_required: bool) -> str:
    """Count a try and return the hash that the old password must fit.

    Raises Invalid (`/new_password`) where ``password`` may be none, before anything is counted; TooMany;
    and StepUpRequired for who has a second factor and has not proved it lately: the old password alone
    is not who they are.
    """
    account = accounts.get(work)
    if not steps.password_is_enough(work) and not sign_ins.is_fresh(work.actor, work.now):
        raise StepUpRequired
    clinic = clinics.get(work)
    names = (clinic.slug, clinic.name, addresses.of(work, account), account.name)
    chooser = password_rules.chooser(account.role, names, factor_required)
    password_rules.check(password, chooser, "/new_password")
    tries.begin_second_factor(work.session, work.now, account.id)
    return account.password_hash


def change(work: Work, known: str, made: str) -> None:
    """Put the hash ``made`` in the place of ``known``, whose password was right, and tell the owner.

    Every other sign-in ends, and so does what was begun with the old password or with a link, and each
    export link that was asked for. So does what would move a patient's account to another address: whoever
    is told of that and is signed in already does this. Raises DoesNotFit where somebody else has changed it
    meanwhile, or closed the account.
    """
    account = accounts.get(work)
    mine = (Account.clinic_id == work.clinic_id, Account.id == account.id)
    won = work.session.execute(
        update(Account)
        .where(*mine, Account.password_hash == known, Account.disabled_at.is_(None))
        .values(password_hash=made)
        .returning(Account.id)
    ).first()
    if won is None:
        raise DoesNotFit
    tries.end_second_factor(work.session, account.id)
    recovery.end_links(work, account.id)
    patient_invitation.heed_owner(work, account)
    sign_out.elsewhere(work)
    work.audit("password.change", account.patient_id, account.id)
    account_notice.changed(work, account.id)
