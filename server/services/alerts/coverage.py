"""The check ahead: the clinic's admins hear of a gap in the rota before an alert falls into it."""

from datetime import timedelta

from server.clinical.coverage import Gap
from server.clinical.vocabulary import AlertClass, DeliverySubject, Role
from server.models import Account
from server.services.alerts import rota as rotas
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.work import Work

AHEAD = timedelta(days=7)
# Looking back finds where a gap that has begun began, and so its name.
BACK = timedelta(days=31)


def tell(work: Work) -> int:
    """Write to every admin about each gap of the next 7 days, once a gap; return how many messages.

    Only where monitoring is armed: a clinic that has promised nothing is not woken. A gap that the
    fallback closes is shown by the coverage check, and nobody is written to.
    """
    if not rotas.is_armed(work):
        return 0
    start = work.now - BACK
    found = rotas.gaps_between(work, start, work.now + AHEAD)
    names = {_name(work, gap) for gap in found if gap.is_open and gap.ends > work.now}
    admins = accounts.recipients(work, {Role.CLINIC_ADMIN})
    return sum(_tell(work, name, admin) for name in sorted(names) for admin in admins)


def _name(work: Work, gap: Gap) -> str:
    """Return what tells a gap from others; one that began longer ago is a new one every month."""
    began = gap.starts > work.now - BACK
    return f"{gap.starts:%Y-%m-%dT%H:%M}" if began else f"before {work.now:%Y-%m}"


def _tell(work: Work, name: str, admin: Account) -> bool:
    key = f"coverage:{name}:{admin.id}"
    told = Notice(key, "coverage_gap", DeliverySubject.ROTA, work.clinic_id, AlertClass.P2)
    return deliveries.call(work, admin, told) is not None
