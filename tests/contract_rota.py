"""The part of the contract's story in which the clinic says who hears of an alert."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from schemas.contact_point import ContactPointBody, QuietHoursBody
from schemas.rota import RotaBody
from schemas.shift import ShiftBody
from schemas.webhook import ListeningBody, WebhookBody
from schemas.webhook_delivery import LostEventsBody

Ask = Callable[..., Any]


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    admin: str


def play(ask: Ask, clinic: Tokens, ana: str, code_of: Callable[[str], str]) -> None:
    """Eli sets the rota and arms monitoring; Bo says how to reach her; Ana's phone registers itself."""
    bo, admin = clinic.clinician, clinic.admin
    bos_id = ask(bo, "get /v1/me")["account_id"]
    ask(admin, "put /v1/rota", RotaBody.EXAMPLE, version=1)
    shift = ask(admin, "post /v1/rota/shifts", {**ShiftBody.EXAMPLE, "account_id": bos_id, **_FROM_NOW})
    for path in ("", "/coverage", "/on-call", "/shifts"):
        ask(bo, f"get /v1/rota{path}")
    for verb in ("arm", "disarm"):
        ask(admin, f"post /v1/rota/{verb}")
    ask(admin, "delete /v1/rota/shifts/{shift_id}", shift_id=shift["id"])
    ask(ana, "get /v1/channels")
    for who in (bo, ana):
        _is_reached(ask, who, code_of)
    ask(bo, "put /v1/me/quiet-hours", QuietHoursBody.EXAMPLE)
    ask(bo, "get /v1/me/quiet-hours")
    _hooks(ask, admin, bos_id)


_FROM_NOW: Mapping[str, Any] = {"starts": "2026-05-01T18:00", "ends": "2026-05-04T08:00"}


def _is_reached(ask: Ask, token: str, code_of: Callable[[str], str]) -> None:
    points = "/v1/me/contact-points"
    point = ask(token, f"post {points}", ContactPointBody.EXAMPLE)["id"]
    ask(token, f"post {points}/{{contact_id}}/verify", {"code": code_of(point)}, contact_id=point)
    ask(token, f"put {points}/order", {"ids": [point]})
    ask(token, f"get {points}")
    ask(token, f"delete {points}/{{contact_id}}", contact_id=point)


def _hooks(ask: Ask, admin: str, account_id: str) -> None:
    hooks = "/v1/clinic/webhooks"
    made = ask(admin, f"post {hooks}", {**WebhookBody.EXAMPLE, "account_id": account_id})["webhook"]["id"]
    one, known = f"{hooks}/{{webhook_id}}", {"webhook_id": made}
    ask(admin, f"post {one}/rotate", **known)
    ask(admin, f"patch {one}", ListeningBody.EXAMPLE, **known)
    ask(admin, f"get {hooks}")
    sent = ask(admin, f"post {one}/test", **known)["id"]
    ask(admin, f"get {one}/deliveries", **known)
    ask(admin, f"post {one}/deliveries/{{delivery_id}}/replay", delivery_id=sent, **known)
    ask(admin, f"post {one}/deliveries/replay", LostEventsBody.EXAMPLE, **known)
    ask(admin, f"post {one}/enable", **known)
    ask(admin, f"delete {one}", **known)
