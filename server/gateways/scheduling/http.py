"""Any system with an HTTP interface that speaks JSON, told in settings how it is asked and what it answers.

docs/scheduling-http.md has every setting. What a message to it may hold is a closed list, as everywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from server.clinical.visit import MOST_SLOTS, Capabilities, Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError
from server.gateways.scheduling import http_words as words
from server.gateways.scheduling.http_answer import Part, listed, parsed, parsed_form
from server.gateways.scheduling.http_config import Settings, read
from server.gateways.scheduling.http_template import fill_body, fill_path, fill_query, window
from server.gateways.scheduling.port import Config, Outside

_OPEN = (PeerStatus.PROPOSED, PeerStatus.PENDING)
# Nobody at the clinic has been seen to touch it.
_UNTOUCHED = (SuggestionState.SUGGESTED, SuggestionState.SENT, SuggestionState.NEEDS_ATTENTION)
_ACCEPTED, _NOT_SIGNED_IN, _CHANGED = 202, (401, 403), 412
# The request itself is what it does not take; anything else may pass.
_PERMANENT = frozenset({400, 404, 405, 409, 413, 415, 422})
_MOST_EVENTS = 100  # of one message
_MOST_FOUND = 5  # visits of one suggestion that are looked at


def check(config: Config, allow_loopback: bool = False) -> None:
    """Raise ValueError, with a reason that names the member, where ``config`` can't be used."""
    read(config, allow_loopback)


class HttpScheduling:
    """One system, asked as its settings say."""

    def __init__(self, config: Config, outside: Outside) -> None:
        # Whether it may go there is for the egress to say.
        self._settings, self._egress = read(config, allow_loopback=True), outside.egress
        self.capabilities = _capabilities(self._settings)

    def lane(self) -> str:
        """Name host and port."""
        where = self._egress.place(self._settings.base_url)
        return f"{where.host}:{where.port}"

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Look for it, then make it, or bring it up to date as long as it is open."""
        seen = self._found(proposed, now)
        if seen is None:
            return self._awaited(proposed) or self._made(proposed, now)
        if "update" not in self._settings.operations or seen.status not in _OPEN:
            return seen
        known = _known(proposed, seen)
        self._asked("update", known, now, f"{proposed.id}-v{proposed.version}")
        return self._fetched(known, now) or seen

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how it stands. What was accepted and is not there yet stays proposed."""
        return self._found(proposed, now) or self._awaited(proposed)

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Take it back as long as it is open, and unless it changes meanwhile, where the system can tell."""
        seen = self._found(proposed, now)
        if seen is None or seen.status not in _OPEN or not self.capabilities.cancel:
            return seen
        known = _known(proposed, seen)
        self._asked("withdraw", known, now, f"{proposed.id}-withdraw")
        return self._fetched(known, now)

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Return its free times inside the window."""
        if not self.capabilities.slots:
            return ()
        parts = self._listed("slots", proposed, now)
        with words.reading():
            slots = [words.slot(part, proposed.minutes) for part in parts]
        first, after = window(proposed)
        inside = [slot for slot in slots if first <= slot.starts_at < slot.ends_at <= after]
        return sorted(inside, key=lambda slot: slot.starts_at)[:MOST_SLOTS]

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """Return what a message points at."""
        settings = self._settings.event
        if settings is None:
            raise ValueError("this system sends no messages")
        raw = parsed_form(event.body) if settings.encoding == "form" else parsed(event.body)
        items = listed(raw, settings.items)
        if not 1 <= len(items) <= _MOST_EVENTS:
            raise ValueError(f"a message holds 1 to {_MOST_EVENTS} events")
        return [words.event(Part(item, settings.pointers, self._settings.clock)) for item in items]

    def _found(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how it stands, asked by their id where that is needed, or looked for by ours."""
        if not self._settings.operations["fetch"].needs_external_id():
            return self._fetched(proposed, now)
        seen = None if _is_ours(proposed) else self._fetched(proposed, now)
        return seen or self._searched(proposed, now)

    def _searched(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return the visit that holds our id; of several, the one the clinic has dealt with."""
        if "find" not in self._settings.operations:
            return None
        # A system that does not know a parameter gives everything it has: each says whose it is.
        parts = [p for p in self._listed("find", proposed, now) if p.found("reference") == str(proposed.id)]
        with words.reading():
            names = [name for part in parts[:_MOST_FOUND] if (name := part.name("external_id"))]
        found = [self._fetched(replace(proposed, external_id=name), now) for name in names]
        return min((seen for seen in found if seen), key=_rank, default=None)

    def _fetched(self, proposed: Proposed, now: datetime) -> Seen | None:
        reply = self._asked("fetch", proposed, now)
        if reply is None:
            return None
        named = replace(proposed, external_id=proposed.external_id or str(proposed.id))
        with words.reading():
            return words.visit(self._settings, self._settings.operations["fetch"], reply, named)

    def _made(self, proposed: Proposed, now: datetime) -> Seen:
        # Where nothing is looked for first, the key alone keeps it one visit, also when its window changes.
        changing = "" if self._settings.once else f"-v{proposed.version}"
        reply = self._asked("suggest", proposed, now, f"{proposed.id}{changing}")
        if reply is None:
            raise SendError(False, "not_taken")
        operation, nameless = self._settings.operations["suggest"], replace(proposed, external_id=None)
        with words.reading():
            seen = words.visit(self._settings, operation, reply, nameless)
        if seen is None and reply.status == _ACCEPTED:
            # Ours stands for theirs until there is one.
            return Seen(str(proposed.id), PeerStatus.PROPOSED)
        seen = seen or self._found(nameless, now)
        if seen is None:
            raise SendError(False, "unreadable", in_doubt=True)
        return seen

    def _awaited(self, proposed: Proposed) -> Seen | None:
        accepted = proposed.external_id == str(proposed.id) and proposed.state in _UNTOUCHED
        if not (self.capabilities.asynchronous and accepted):
            return None
        return Seen(str(proposed.id), PeerStatus.PROPOSED)

    def _listed(self, name: str, proposed: Proposed, now: datetime) -> Sequence[Part]:
        operation = self._settings.operations[name]
        reply = self._asked(name, proposed, now)
        if reply is None:
            return ()
        with words.reading():
            items = listed(words.said(reply), operation.items)
        return [Part(item, operation.pointers, self._settings.clock) for item in items]

    def _asked(self, name: str, proposed: Proposed, now: datetime, key: str = "") -> Reply | None:
        """Ask; return the answer, None where there is no such visit. Raise `SendError`."""
        operation = self._settings.operations[name]
        body = b"" if operation.body is None else json.dumps(fill_body(operation.body, proposed)).encode()
        path = fill_path(operation.path, proposed) + fill_query(operation.query, proposed)
        headers = {**self._headers(body), **self._conditions(proposed, key)}
        request = Request(operation.method, headers, body)
        reply = self._egress.send(self._settings.base_url + path, request)
        if reply.status in operation.ok:
            return reply
        if reply.status in operation.gone:
            return None
        raise _refused(reply, now)

    def _headers(self, body: bytes) -> Mapping[str, str]:
        typed = {"Content-Type": "application/json"} if body else {}
        settings = self._settings
        return {"Accept": "application/json", **typed, **settings.headers, **settings.auth.headers(body)}

    def _conditions(self, proposed: Proposed, key: str) -> Mapping[str, str]:
        """Return what makes a change happen once, and only to what was seen."""
        if not key:
            return {}
        conditions = {"Idempotency-Key": key}
        by_header = "version" not in self._settings.operations["fetch"].pointers
        if by_header and proposed.etag and not proposed.etag.startswith("W/"):
            conditions["If-Match"] = proposed.etag
        return conditions


def _capabilities(settings: Settings) -> Capabilities:
    operations = settings.operations
    return Capabilities(
        pending=PeerStatus.PENDING in settings.statuses.values(),
        slots="slots" in operations,
        cancel="withdraw" in operations,
        asynchronous=_ACCEPTED in operations["suggest"].ok,
        events=settings.event is not None,
        once=settings.once,
    )


def _is_ours(proposed: Proposed) -> bool:
    """Return whether there is no id of theirs yet."""
    return proposed.external_id in (None, str(proposed.id))


def _known(proposed: Proposed, seen: Seen) -> Proposed:
    return replace(proposed, external_id=seen.external_id, etag=seen.version)


def _rank(seen: Seen) -> int:
    return 1 if seen.status in _OPEN else 2 if seen.status in words.OVER else 0


def _refused(reply: Reply, now: datetime) -> SendError:
    if reply.status in _NOT_SIGNED_IN:
        return SendError(False, "sign_in", away=True)
    if reply.status == _CHANGED:
        return SendError(False, "changed_meanwhile")
    return refusal(reply, now, permanent=_PERMANENT)
