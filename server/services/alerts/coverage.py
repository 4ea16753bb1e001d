"""The check ahead: the clinic's admins hear of a gap in the rota before an alert falls into it."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select

from server.clinical.coverage import Gap
from server.clinical.vocabulary import AlertClass, DeliverySubject, Role
from server.models import Account, Delivery
from server.services.alerts import rota as rotas
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.work import Work

AHEAD = timedelta(days=7)
# Looking back finds where a gap that has begun began, and so its name.
BACK = timedelta(days=31)
_TEMPLATE, _OPEN, _CLOSED = "coverage_gap", "coverage:", "coverage_closed:"


def tell(work: Work) -> int:
    """Write to every admin about each gap of the next 7 days, once a gap; return how many messages.

    One that was closed and opens again is another one: whoever mended it believes that all is well.
    Only where monitoring is armed: a clinic that has promised nothing is not woken. A gap that the
    fallback closes is shown by the coverage check, and nobody is written to.
    """
    if not rotas.is_armed(work):
        return 0
    start = work.now - BACK
    found = rotas.gaps_between(work, start, work.now + AHEAD)
    names = {_name(work, gap) for gap in found if gap.is_open and gap.ends > work.now}
    _forget_closed(work, names)
    admins = accounts.recipients(work, {Role.CLINIC_ADMIN})
    return sum(_tell(work, name, admin) for name in sorted(names) for admin in admins)


def _name(work: Work, gap: Gap) -> str:
    """Return what tells a gap from others; one that began longer ago is a new one every month."""
    began = gap.starts > work.now - BACK
    return f"{gap.starts:%Y-%m-%dT%H:%M}" if began else f"before {work.now:%Y-%m}"


def _forget_closed(work: Work, names: Collection[str]) -> None:
    """Let the messages of gaps that are there no longer keep nobody from being told of the same one anew."""
    told = select(Delivery).where(
        Delivery.clinic_id == work.clinic_id,
        Delivery.subject_id == work.clinic_id,
        Delivery.template == _TEMPLATE,
        Delivery.key.startswith(_OPEN, autoescape=True),
    )
    stand = tuple(f"{_OPEN}{name}:" for name in names)
    for row in work.session.scalars(told).all():
        if not row.key.startswith(stand):
            row.key = f"{_CLOSED}{work.now:%Y-%m-%dT%H:%M:%S}:{row.key.removeprefix(_OPEN)}"


def _tell(work: Work, name: str, admin: Account) -> bool:
    key = f"{_OPEN}{name}:{admin.id}"
    told = Notice(key, _TEMPLATE, DeliverySubject.ROTA, work.clinic_id, AlertClass.P2)
    return deliveries.call(work, admin, told) is not None
