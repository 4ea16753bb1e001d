"""When a message that was not taken is tried again, by channel. Pure: no clock, no randomness."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from types import MappingProxyType
from uuid import UUID

from server.clinical.vocabulary import AlertClass, Channel

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """The pauses after each failed try, the last one for all further ones; given up after ``most``."""

    pauses: tuple[timedelta, ...]
    most: timedelta


# RFC 5321, 4.5.4.1: a message that was not taken is tried again after at least 30 minutes in the long
# run, sooner at first because most troubles of a mail server are short. By 28 hours an urgent alert has
# climbed every level, so one more try of an early notice would tell nobody anything new.
_MAIL = Patience((*(30 * _SECOND * 2**n for n in range(6)), 30 * _MINUTE), 28 * _HOUR)
# Standard Webhooks 1.0.0, "Deliverability and reliability"; jitter makes the whole a tenth longer at most.
WEBHOOK_PAUSES = (5 * _SECOND, 5 * _MINUTE, 30 * _MINUTE, *(n * _HOUR for n in (2, 5, 10, 14, 20, 24)))
_WEBHOOK = Patience(WEBHOOK_PAUSES, sum(WEBHOOK_PAUSES, timedelta()))
# Proposal: a phone's message is of use soon or not at all; another way is tried meanwhile.
_PHONE = Patience((5 * _SECOND, 30 * _SECOND, *(2 * _MINUTE,) * 3, 10 * _MINUTE), 6 * _HOUR)
_PATIENCE: Mapping[Channel, Patience] = MappingProxyType(
    {Channel.EMAIL: _MAIL, Channel.WEBHOOK: _WEBHOOK, Channel.SMS: _PHONE, Channel.PUSH: _PHONE}
)
# When the far end is back, what is urgent leaves within two minutes: with the jitter and the worker's tick.
URGENT_PAUSE = 100 * _SECOND
# For how long a far end may ask us to wait (`gateways.message`); and so long neither a pause nor the quiet
# hours of a day are.
LONGEST_ASKED, LONGEST = _HOUR, 27 * _HOUR
# Many messages that failed together must not come back together.
JITTER = 0.1


def pause(channel: Channel, attempt: int, urgency: AlertClass, delivery_id: UUID) -> timedelta:
    """Return the pause after failed try number ``attempt`` (from 1), up to a tenth longer.

    How much longer depends on the delivery and the try, and on nothing else. What is urgent (P0, P1)
    is tried again within two minutes, but for webhooks, whose receivers know their schedule.
    """
    pauses = _PATIENCE[channel].pauses
    seed = blake2b(f"{delivery_id}:{attempt}".encode(), digest_size=2).digest()
    jitter = 1 + JITTER * int.from_bytes(seed) / 0xFFFF
    plain = pauses[min(attempt, len(pauses)) - 1]
    if urgency in (AlertClass.P0, AlertClass.P1) and channel is not Channel.WEBHOOK:
        plain = min(plain, URGENT_PAUSE)
    return plain * jitter


def gives_up(channel: Channel, age: timedelta) -> bool:
    """Say whether a message first due ``age`` ago is not tried any more."""
    return age > _PATIENCE[channel].most
