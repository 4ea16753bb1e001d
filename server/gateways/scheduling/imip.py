"""Invitations to the clinic's scheduling mailbox (iMIP, RFC 6047), over the house's own mail gateway.

A mailbox can't be asked. What became of a visit is learned from its answers
(`POST /v1/inbox/calendar-replies`) or from the inbox.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from types import MappingProxyType
from uuid import UUID, uuid5

from server.calendars.parts import ref_of, uid_of
from server.calendars.visit import Method, Parties, invitation, method_of
from server.calendars.words import words
from server.clinical.visit import Capabilities, Proposed, Seen
from server.clinical.vocabulary import AlertClass, Language, PeerStatus, SuggestionState
from server.gateways.message import CalendarPart, Gateway, Message, SendError
from server.gateways.scheduling.port import Outside

CAPABILITIES = Capabilities(asynchronous=True, fetches=False, once=True)
_S, _P = SuggestionState, PeerStatus
# Nobody can be asked: it stands there as we have said it.
_STANDS: Mapping[SuggestionState, PeerStatus] = MappingProxyType(
    {
        _S.ACKNOWLEDGED: _P.PENDING,
        _S.BOOKED: _P.BOOKED,
        _S.ARRIVED: _P.ARRIVED,
        _S.FULFILLED: _P.FULFILLED,
        _S.NOSHOW: _P.NOSHOW,
        _S.CANCELLED: _P.CANCELLED,
        **dict.fromkeys((_S.DECLINED, _S.EXPIRED, _S.WITHDRAWN, _S.SUPERSEDED), _P.DECLINED),
    }
)
_KEPT = (SuggestionState.BOOKED, SuggestionState.ARRIVED)


class ImipMailbox:
    """Writes to ``mailbox``. ``organizer``: where answers go, if not to the address our mail comes from."""

    capabilities = CAPABILITIES

    def __init__(self, mailbox: str, organizer: str, language: Language, outside: Outside) -> None:
        sender = parseaddr(outside.mail_from)[1]
        self._parties = Parties(organizer or sender, mailbox, sender, language)
        self._mail = outside.mail

    def lane(self) -> str:
        """Name our own mail server."""
        return "mail" if self._mail is None else self._mail.lane(self._parties.attendee)

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Invite, say what has changed, or take back what is over."""
        self._send(proposed, method_of(proposed.state), now)
        return _seen(proposed, _STANDS.get(proposed.state, PeerStatus.PROPOSED))

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return nothing: nobody can be asked."""
        return None

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Take the invitation back; a booked visit is the clinic's and stays."""
        if proposed.state in _KEPT:
            return _seen(proposed, _STANDS[proposed.state])
        self._send(proposed, Method.CANCEL, now)
        return _seen(proposed, PeerStatus.DECLINED)

    def _send(self, proposed: Proposed, method: Method, now: datetime) -> None:
        _armed(self._mail).send(self._message(proposed, method, now))

    def _message(self, proposed: Proposed, method: Method, now: datetime) -> Message:
        said = words(self._parties.language)
        if method is Method.CANCEL:
            title, text = said.ended, said.takes_back
        elif proposed.starts_at is None:
            title, text = said.suggestion, said.asks
        else:
            title, text = said.visit, said.tells
        subject = f"{title} {ref_of(proposed.id)}"
        return Message(
            to=self._parties.attendee,
            subject=subject,
            text=f"{text}\n\n{said.reference}: {proposed.id}\n",
            short=subject,
            link="",
            id=_message_id(proposed, method),
            kind="visit_suggestion.calendar",
            at=now,
            urgent=proposed.urgency in (AlertClass.P0, AlertClass.P1),
            calendar=CalendarPart(method, invitation(proposed, method, self._parties, now)),
        )


def _message_id(proposed: Proposed, method: Method) -> UUID:
    """Return the same id for the same change, so that a mailbox that got it already can drop the repeat."""
    return uuid5(proposed.id, f"{method} {proposed.version}")


def _seen(proposed: Proposed, status: PeerStatus) -> Seen:
    has_time = status in (PeerStatus.BOOKED, PeerStatus.ARRIVED)
    times = (proposed.starts_at, proposed.ends_at) if has_time else (None, None)
    return Seen(proposed.external_id or uid_of(proposed.id), status, *times)


def _armed(mail: Gateway | None) -> Gateway:
    if mail is None:
        raise SendError(False, "no_mail", away=True)
    return mail
