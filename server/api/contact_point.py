"""The ways to reach oneself, and one's quiet hours."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.contact_point import (
    ChannelsAnswer,
    ContactPointAnswer,
    ContactPointBody,
    ContactPointList,
    NumberCodeBody,
    OrderBody,
    QuietHoursAnswer,
    QuietHoursBody,
    address_of,
)
from server.api.body import Blueprint
from server.api.edge import actor, allow, here, reading, writing
from server.clinical.vocabulary import Channel, Role
from server.services.errors import Invalid
from server.services.messages import contact_point as contact_points
from server.services.messages import number_code as number_codes
from server.services.messages import quiet
from server.services.people import account as accounts
from server.settings import Settings, vapid_key
from server.vapid import public_key

blueprint = Blueprint("contact points", __name__, description="How you are reached")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)
PEOPLE = (Role.PATIENT, *STAFF)


@blueprint.route("/me/contact-points", methods=["GET"])
@allow(*PEOPLE)
@blueprint.response(200, ContactPointList)
def list_contact_points() -> Any:
    """Read the ways to reach you, in their order. Your e-mail comes last and is not listed."""
    with reading() as work:
        return {"items": contact_points.own(work)}


@blueprint.route("/channels", methods=["GET"])
@allow(*PEOPLE)
@blueprint.response(200, ChannelsAnswer)
def list_channels() -> Any:
    """Read which channels this service sends over, and the key with which an app subscribes to pushes."""
    key = vapid_key(here().settings)
    return {"channels": _armed(here().settings), "push_key": public_key(key) if key else None}


def _armed(settings: Settings) -> list[Channel]:
    others = {Channel.SMS: settings.sms_url, Channel.PUSH: vapid_key(settings)}
    return [Channel.EMAIL, Channel.WEBHOOK, *(channel for channel, setting in others.items() if setting)]


@blueprint.route("/me/contact-points", methods=["POST"])
@allow(*PEOPLE)
@blueprint.arguments(ContactPointBody)
@blueprint.response(201, ContactPointAnswer)
def create_contact_point(body: Mapping[str, Any]) -> Any:
    """Add a telephone or this device. Again is harmless; a device is taken over from whoever had it.

    A telephone gets a code by SMS and is used once that was sent back (`verify`); again: another code.
    """
    account_id = actor().account_id
    assert account_id is not None
    with writing() as work:
        if body["channel"] == Channel.SMS:
            return number_codes.add(work, account_id, address_of(body))
        return contact_points.add(work, account_id, Channel(body["channel"]), address_of(body))


@blueprint.route("/me/contact-points/<uuid:contact_id>/verify", methods=["POST"])
@allow(*PEOPLE)
@blueprint.arguments(NumberCodeBody)
@blueprint.response(200, ContactPointAnswer)
def prove_contact_point(body: Mapping[str, Any], contact_id: UUID) -> Any:
    """Prove a telephone with the six digits sent to it: from now on it is used. Again is harmless.

    A code is good for 10 minutes and five tries; add the number again for another one.
    """
    with writing() as work:
        proven = number_codes.prove(work, contact_id, body["code"])
    if proven is None:
        raise Invalid("/code", "It is wrong or has run out.")
    return proven


@blueprint.route("/me/contact-points/<uuid:contact_id>", methods=["DELETE"])
@allow(*PEOPLE)
@blueprint.response(204)
def delete_contact_point(contact_id: UUID) -> Response:
    """Take one of your contact points away; its address is forgotten."""
    with writing() as work:
        contact_points.remove(work, contact_id)
    return Response(status=204)


@blueprint.route("/me/contact-points/order", methods=["PUT"])
@allow(*PEOPLE)
@blueprint.arguments(OrderBody)
@blueprint.response(200, ContactPointList)
def order_contact_points(body: Mapping[str, Any]) -> Any:
    """Say in which order they are to be tried."""
    with writing() as work:
        return {"items": contact_points.reorder(work, body["ids"])}


@blueprint.route("/me/quiet-hours", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, QuietHoursAnswer)
def get_quiet_hours() -> Any:
    """Read your quiet hours."""
    with reading() as work:
        return accounts.get(work)


@blueprint.route("/me/quiet-hours", methods=["PUT"])
@allow(*STAFF)
@blueprint.arguments(QuietHoursBody)
@blueprint.response(200, QuietHoursAnswer)
def put_quiet_hours(body: Mapping[str, Any]) -> Any:
    """Set or end your quiet hours: what is held in them is sent when they end. P0 is never held."""
    with writing() as work:
        return quiet.set_hours(work, body["quiet_from"], body["quiet_until"])
