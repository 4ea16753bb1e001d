"""A CalDAV calendar (RFC 4791): the visit is one object in the clinic's own collection.

Its staff move or confirm it with their calendar program; we read that. We put and get by ourselves, as the
address is the clinic's: every request has to go through the egress (docs/scheduling-calendar.md).
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from icalendar import Calendar

from server.calendars.parts import uid_of
from server.calendars.read import Told, parsed, says, seen, told
from server.calendars.visit import entry, revised
from server.clinical.visit import Capabilities, Proposed, Seen
from server.clinical.vocabulary import Language, PeerStatus
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError
from server.gateways.scheduling.port import Outside

CAPABILITIES = Capabilities(pending=True, once=True, follows=True)
# How often an object that somebody else is changing at this moment is read again before we come back later.
_TRIES = 3
_NOT_THERE = (404, 410)
_CHANGED, _UNKNOWN_USER, _NO_PARENT = 412, 401, 409
# It is not allowed, or not taken as it is: asking again changes nothing.
_NEVER = frozenset({403, 405, 413, 415, 422})


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Where the calendar is, and with what we sign in. Never shown: it holds a password."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """The object as it lies there: its bytes read, what it says, and its ETag."""

    made: Calendar
    told: Told
    etag: str


class CaldavCalendar:
    """One collection. Each visit has a name of its own in it, so that it is never there twice."""

    capabilities = CAPABILITIES

    def __init__(self, account: Account, language: Language, outside: Outside) -> None:
        self._url = account.url.rstrip("/") + "/"
        pair = f"{account.user}:{account.password}".encode()
        self._sign_in = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        self._language = language
        self._egress = outside.egress

    def lane(self) -> str:
        """Name host and, as a short hash, the calendar: its address may be as secret as a password."""
        where = self._egress.place(self._url)
        return f"{where.host}:{where.port}#{hashlib.sha256(where.path.encode()).hexdigest()[:8]}"

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Put the visit there; what the clinic did to it meanwhile, and we have not seen yet, stays.

        What we have seen, our change came after: that is brought up to date, and whatever else the clinic's
        staff wrote into it stays.
        """
        kept = None if proposed.etag is None else self._get(proposed, now)
        for _ in range(_TRIES):
            if kept is not None and not _is_ours_to_change(kept, proposed):
                return _seen(kept, proposed)
            put = self._put(proposed, kept, now)
            if put is not None:
                return _seen(put, proposed)
            kept = self._get(proposed, now)
        raise SendError(False, "changed_meanwhile")

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how it stands there, None where it is not (any more)."""
        kept = self._get(proposed, now)
        return None if kept is None else _seen(kept, proposed)

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Remove it, unless the clinic has given it a time or ended it: then say so."""
        for _ in range(_TRIES):
            kept = self._get(proposed, now)
            if kept is None:
                return None
            stands = _seen(kept, proposed)
            if stands.status not in (PeerStatus.PROPOSED, PeerStatus.PENDING):
                return stands
            removed = self._ask(proposed, Request("DELETE", {"If-Match": kept.etag or "*"}), now)
            if removed.status != _CHANGED:
                return None
        raise SendError(False, "changed_meanwhile")

    def _get(self, proposed: Proposed, now: datetime) -> _Kept | None:
        reply = self._ask(proposed, Request("GET", {"Accept": "text/calendar"}), now)
        if reply.status in _NOT_THERE:
            return None
        if not reply.whole:
            raise SendError(False, "cut_off")
        return _kept(reply.body, reply, proposed)

    def _put(self, proposed: Proposed, kept: _Kept | None, now: datetime) -> _Kept | None:
        """Write it new, or over what was read; None where somebody else was there first."""
        if kept is None:
            condition, body = {"If-None-Match": "*"}, entry(proposed, self._language, now)
        else:
            condition = {"If-Match": kept.etag or "*"}
            body = revised(kept.made, proposed, self._language, now)
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        reply = self._ask(proposed, Request("PUT", headers, body), now)
        if reply.status == _CHANGED:
            return None
        if reply.status in _NOT_THERE:
            raise SendError(False, "no_calendar", away=True)
        # A server that changes what it is given says no ETag (RFC 4791, 5.3.4): what it keeps has to be read.
        return _kept(body, reply, proposed) if "etag" in reply.headers else self._get(proposed, now)

    def _ask(self, proposed: Proposed, request: Request, now: datetime) -> Reply:
        """Return an answer we know what to do with: done, not there, changed meanwhile."""
        signed = Request(request.method, {**self._sign_in, **request.headers}, request.body)
        reply = self._egress.send(f"{self._url}{proposed.id}.ics", signed)
        if reply.status == _UNKNOWN_USER:
            raise SendError(False, "sign_in", away=True)
        # RFC 4918, 9.7.1: what it should be put into is not there.
        if reply.status == _NO_PARENT:
            raise SendError(False, "no_calendar", away=True)
        foreseen = _NOT_THERE if request.method == "GET" else (*_NOT_THERE, _CHANGED)
        if 200 <= reply.status <= 299 or reply.status in foreseen:
            return reply
        raise refusal(reply, now, permanent=_NEVER)


def _kept(raw: bytes, reply: Reply, proposed: Proposed) -> _Kept:
    try:
        made = parsed(raw)
        # It is the clinic's calendar, wherever the patient is at the moment.
        said = told(made, proposed.clinic_zone)
    except ValueError:
        raise SendError(True, "unreadable") from None
    return _Kept(made, said, reply.headers.get("etag", ""))


def _seen(kept: _Kept, proposed: Proposed) -> Seen:
    return seen(kept.told, proposed, kept.etag or None, proposed.external_id or uid_of(proposed.id))


def _is_ours_to_change(kept: _Kept, proposed: Proposed) -> bool:
    """Say whether our version has to be written over what lies there: it differs, and is no news to us."""
    if says(kept.told, proposed):
        return False
    is_known = kept.etag == proposed.etag
    return is_known or _seen(kept, proposed).status is PeerStatus.PROPOSED
