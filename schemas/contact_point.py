"""Contact points: a telephone or a device of one's own, beside the e-mail; and quiet hours."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate, validates_schema

from schemas.base import Answer, Body
from schemas.combining import BothOrNeither, ByValue
from schemas.fields import Code, Decimal, Id, Moment, TimeOfDay
from schemas.public_url import PublicUrl
from schemas.spelling import Fully
from server.clinical.vocabulary import Channel

MOST_ORDERED = 50
_NUMBER = Fully(r"^\+[1-9][0-9]{6,14}$", error="Must be + and 7 to 15 digits, without blanks.")
_SHOWN = 4


class PhoneNumber(fields.String):
    """A telephone number as in E.164: + and 7 to 15 digits, no blanks."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"example": "+4740000000", **kwargs.pop("metadata", {})}
        super().__init__(validate=_NUMBER, metadata=metadata, **kwargs)


class Base64Url(fields.String):
    """So many bytes in base64url, as browsers write keys; ``first``: how the letters begin."""

    def __init__(self, length: int, first: str = "", letters_of_first: int = 0, **kwargs: Any) -> None:
        letters = -(-length * 8 // 6) - letters_of_first
        fits = Fully(
            f"^{first}[A-Za-z0-9_-]{{{letters}}}={{0,2}}$",
            error=f"Must be {length} bytes in base64url, as the browser gives it.",
        )
        super().__init__(validate=fits, **kwargs)


class PushKeysBody(Body):
    """The keys of a subscription: a P-256 point and a secret (RFC 8291)."""

    p256dh = Base64Url(65, "B[A-P]", 2, required=True)  # a point begins with the byte 4
    auth = Base64Url(16, required=True)


class PushSubscriptionBody(Body):
    """What a browser's `PushSubscription.toJSON()` gives."""

    endpoint = PublicUrl(required=True, metadata={"example": "https://push.example.net/send/abc"})
    expires = Decimal(
        low=0,
        high=1e15,
        data_key="expirationTime",
        allow_none=True,
        metadata={"description": "taken and not looked at"},
    )
    keys = fields.Nested(PushKeysBody, required=True)


class ContactPointBody(Body):
    """A telephone (`number`) or a device (`subscription`) of your own."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"channel": "sms", "number": "+4740000000"}
    TOGETHER: ClassVar[ByValue] = ByValue(
        "channel", {Channel.SMS.value: "number", Channel.PUSH.value: "subscription"}
    )

    channel = fields.String(required=True, validate=validate.OneOf([Channel.SMS.value, Channel.PUSH.value]))
    number = PhoneNumber(metadata={"description": "for sms"})
    subscription = fields.Nested(PushSubscriptionBody, metadata={"description": "for push"})

    @validates_schema
    def one_address(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a channel without its address, and an address of the other one."""
        self.TOGETHER.check(data)


def address_of(body: Mapping[str, Any]) -> str:
    """Return the address in ``body`` as its channel writes it."""
    if body["channel"] == Channel.SMS:
        return str(body["number"])
    subscription = body["subscription"]
    return json.dumps({key: subscription[key] for key in ("endpoint", "keys")})


def masked(channel: Channel, address: str) -> str:
    """Return the end of where a point leads: enough to know one's own, too little to use it."""
    if channel is Channel.PUSH:
        address = json.loads(address)["endpoint"]
    elif channel is Channel.WEBHOOK:
        address = json.loads(address)["url"]
    return f"…{address[-_SHOWN:]}"


class Masked(fields.Field[str]):
    """The end of a contact point's address."""

    def __init__(self) -> None:
        metadata = {"type": "string", "description": "the end of it", "example": "…0000"}
        super().__init__(required=True, dump_only=True, attribute="address", metadata=metadata)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return masked(obj.channel, value)


class ChannelsAnswer(Answer):
    """How messages leave this service. A contact point of another channel is passed over."""

    channels = fields.List(Code(Channel), required=True)
    push_key = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`applicationServerKey` of a push subscription; null: there are no pushes"},
    )


class ContactPointAnswer(Answer):
    """A way to reach you. Your e-mail is always the last one and is not listed."""

    id = Id(required=True)
    channel = Code(Channel, required=True)
    address = Masked()
    proven = fields.Boolean(
        required=True, metadata={"description": "false: a number that still waits for the code sent to it"}
    )
    created_at = Moment(required=True)


class NumberCodeBody(Body):
    """The six digits that were sent to a number."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"code": "012345"}

    code = fields.String(required=True, validate=Fully("^[0-9]{6}$"))


class ContactPointList(Answer):
    """The ways to reach you, the first to be tried on top."""

    items = fields.List(fields.Nested(ContactPointAnswer), required=True)


class OrderBody(Body):
    """The ids of all your contact points in the order in which they are to be tried."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"ids": ["019caae3-5000-7000-8000-000000000001"]}

    ids = fields.List(Id(), required=True, validate=validate.Length(max=MOST_ORDERED))


class QuietHoursBody(Body):
    """Hours of the clinic's clock in which only P0 is sent to you; null twice: none."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quiet_from": "22:00", "quiet_until": "07:00"}
    TOGETHER: ClassVar[BothOrNeither] = BothOrNeither(("quiet_from", "quiet_until"), "Give both or neither.")

    quiet_from = TimeOfDay(required=True, allow_none=True)
    quiet_until = TimeOfDay(required=True, allow_none=True)

    @validates_schema
    def both_or_none(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse hours that only begin or only end."""
        self.TOGETHER.check(data)


class QuietHoursAnswer(Answer):
    """Your quiet hours, by the clinic's clock."""

    quiet_from = fields.String(required=True, allow_none=True, metadata={"example": "22:00"})
    quiet_until = fields.String(required=True, allow_none=True, metadata={"example": "07:00"})
