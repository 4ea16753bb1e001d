"""A clinic's calendar as its scheduling system: invitations by mail (iMIP), or a CalDAV collection.

Settings: `way` is `imip` or `caldav`; `language` (`en`, where it is not said) is that of the few words.
imip: `mailbox`, the clinic's own; `organizer`, where its answers go, our sender's mailbox where not said.
caldav: `url` of the collection, `user`, `password`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from server.clinical.visit import Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import Language
from server.gateways.egress import check_address
from server.gateways.scheduling.caldav import Account, CaldavCalendar
from server.gateways.scheduling.imip import ImipMailbox
from server.gateways.scheduling.port import Config, Outside

IMIP, CALDAV = "imip", "caldav"
_LONGEST = 500  # characters of a text
_MAILBOX = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}", re.ASCII)
_NEEDED: Mapping[str, Sequence[str]] = MappingProxyType(
    {IMIP: ("mailbox",), CALDAV: ("url", "user", "password")}
)
_ALLOWED: Mapping[str, Sequence[str]] = MappingProxyType(
    {IMIP: ("organizer", "language"), CALDAV: ("language",)}
)


class CalendarScheduling:
    """One of the two ways, by the connection's settings; ValueError as `check` raises it."""

    def __init__(self, config: Config, outside: Outside) -> None:
        # Whether this machine itself may be reached is the egress' to say, at every call.
        check(config, allow_loopback=True)
        self._way = _way(config, outside)
        self.capabilities = self._way.capabilities

    def lane(self) -> str:
        """Name our mail server, or the calendar server and, as a short hash, the calendar."""
        return self._way.lane()

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Bring the visit into the calendar, or what is ours of it up to date."""
        return self._way.suggest(proposed, now)

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how it stands there; None where nobody can be asked, or it is not there."""
        return self._way.fetch(proposed, now)

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Take it back, unless it is booked."""
        return self._way.withdraw(proposed, now)

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Return nothing: a calendar says what is taken, not what the clinic would give away."""
        return ()

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """Refuse any: a calendar sends none, and answers by mail have a route of their own."""
        raise ValueError("a calendar sends no messages")


def check(config: Config, allow_loopback: bool = False) -> None:
    """Raise ValueError, which names the member and why, where a connection can't be made of ``config``.

    ``allow_loopback`` (development, tests): an address of this machine will do.
    """
    way = config.get("way")
    if not isinstance(way, str) or way not in _NEEDED:
        raise ValueError(f"way: must be one of {', '.join(_NEEDED)}")
    for name in config:
        if name not in ("way", *_NEEDED[way], *_ALLOWED[way]):
            raise ValueError(f"{str(name)[:50]}: is not known here")
    for name in (*_NEEDED[way], *(name for name in _ALLOWED[way] if name in config)):
        value = config.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
            raise ValueError(f"{name}: must be a text of 1 to {_LONGEST} characters")
        if reason := _CHECKS.get(name, _anything)(value):
            raise ValueError(f"{name}: {reason}")
    if way == CALDAV and (reason := _collection(config["url"], allow_loopback)):
        raise ValueError(f"url: {reason}")


def _way(config: Config, outside: Outside) -> ImipMailbox | CaldavCalendar:
    language = Language(config.get("language", Language.EN))
    if config["way"] == IMIP:
        return ImipMailbox(config["mailbox"], config.get("organizer", ""), language, outside)
    return CaldavCalendar(Account(config["url"], config["user"], config["password"]), language, outside)


def _anything(_value: str) -> str:
    return ""


def _mailbox(value: str) -> str:
    return "" if _MAILBOX.fullmatch(value) else "must be a mailbox like visits@clinic.example"


def _language(value: str) -> str:
    known = tuple(Language)
    return "" if value in known else f"must be one of {', '.join(known)}"


def _collection(value: str, allow_loopback: bool) -> str:
    try:
        check_address(value, allow_loopback)
    except ValueError as refusal:
        return str(refusal)
    return "must hold no query" if "?" in value else ""


def _user(value: str) -> str:
    # It would be taken for the beginning of the password (RFC 7617).
    return "must hold no colon" if ":" in value else ""


_CHECKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "mailbox": _mailbox,
        "organizer": _mailbox,
        "language": _language,
        "user": _user,
    }
)
