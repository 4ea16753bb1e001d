"""A FHIR R4 system: our suggestion is a ServiceRequest (the proposal) and an Appointment (on the calendar).

Both carry our identifier, so that what we sent is found again whatever became of the answer. The
Appointment's id is the visit's id there. Whatever the clinic has done to it is never undone by us.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from server.clinical.visit import Capabilities, Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.fhir.identifiers import (
    Resource,
    is_any_suggestions,
    is_id,
    is_suggestions,
    suggestion_token,
)
from server.fhir.visit import appointment, service_request
from server.fhir.visit_event import read_events
from server.fhir.visit_reading import is_based_on, read_appointment, read_service_request
from server.fhir.visit_update import ended, revised, transaction
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.backend_services import BackendServices
from server.gateways.scheduling.fhir_client import Changed, FhirClient, FixedToken, SignIn
from server.gateways.scheduling.fhir_config import FhirConfig, check, read_config
from server.gateways.scheduling.fhir_slots import published_slots, server_slots
from server.gateways.scheduling.port import Config, Outside

__all__ = ["FhirScheduling", "check"]

APPOINTMENT, REQUEST = "Appointment", "ServiceRequest"
# Ours to change or to take back: nobody has given it a time yet.
_OURS = frozenset({PeerStatus.PROPOSED, PeerStatus.PENDING})
_NOT_BOOKED = _OURS | {PeerStatus.DECLINED}
_BOOKED = frozenset({PeerStatus.BOOKED, PeerStatus.ARRIVED, PeerStatus.FULFILLED, PeerStatus.NOSHOW})
_WAS_BOOKED = frozenset({SuggestionState.BOOKED, SuggestionState.ARRIVED})
# How often what changed under our hands is read again before somebody else gets a turn.
_TRIES = 3

T = TypeVar("T")
Revise = Callable[[Resource], Resource]


class FhirScheduling:
    """One clinic's FHIR system. Raises ValueError for settings that `check` refuses."""

    def __init__(self, config: Config, outside: Outside) -> None:
        self._config = read_config(config)
        self._egress = outside.egress
        sign_in = _sign_in(self._config, outside.egress)
        self._client = FhirClient(outside.egress, self._config.base_url, sign_in)
        self.capabilities = Capabilities(
            pending=True, slots=self._config.slots != "none", events=True, once=True
        )

    def lane(self) -> str:
        """Name host and, as a short hash, the path: a clinic's name may be in it."""
        where = self._egress.place(self._config.base_url)
        return f"{where.host}:{where.port}#{hashlib.sha256(where.path.encode()).hexdigest()[:8]}"

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Make both resources, or bring them up to date unless the clinic has gone on with them."""
        offer = _unbooked(proposed)
        there = self._find(APPOINTMENT, proposed, now)
        if there is not None and not _is_ours(there):
            return _seen(there, proposed)
        if there is None and self._config.transaction and not self._find(REQUEST, proposed, now):
            self._client.transact(transaction(offer, self._config.patient_system), now)
            there = self._find(APPOINTMENT, proposed, now)
        request = self._suggest_request(offer, now)
        ours = appointment(offer, self._config.patient_system, request)
        there = there or self._made(ours, proposed, now)
        return _seen(self._changed(there, lambda found: revised(found, ours), now), proposed)

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how the Appointment stands; while it is not booked, also what became of the proposal."""
        there = self._find(APPOINTMENT, proposed, now)
        seen = None if there is None else _seen(there, proposed)
        if self._config.appointment_only or (seen is not None and seen.status not in _NOT_BOOKED):
            return seen
        request = self._find(REQUEST, proposed, now)
        if request is None:
            return seen
        own = self._booked_by_itself(request, proposed, now)
        if own is not None or seen is None:
            return own
        return _with_request(seen, _readable(read_service_request, request))

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Cancel the Appointment and revoke the proposal, unless the clinic has booked it."""
        there = self._find(APPOINTMENT, proposed, now)
        seen = None if there is None else _seen(self._changed(there, ended, now), proposed)
        if seen is not None and seen.status not in (PeerStatus.DECLINED, PeerStatus.CANCELLED):
            return seen
        request = None if self._config.appointment_only else self._find(REQUEST, proposed, now)
        if request is not None:
            self._changed(request, ended, now)
        return seen

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Return free times from wherever the settings say."""
        if self._config.slots == "none":
            return ()
        try:
            if self._config.slots == "fhir":
                return server_slots(self._client, proposed, now)
            return published_slots(self._egress, self._config.slots, proposed, now)
        except ValueError:
            raise SendError(True, "unreadable") from None

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """Return which visits a notification (a resource, or a Bundle of them) points at."""
        try:
            return read_events(json.loads(event.body))
        except RecursionError:
            raise ValueError("is nested too deep") from None

    def _suggest_request(self, proposed: Proposed, now: datetime) -> str | None:
        """Make the proposal, or bring it up to date; return a reference to it."""
        if self._config.appointment_only:
            return None
        ours = service_request(proposed, self._config.patient_system)
        there = self._find(REQUEST, proposed, now) or self._made(ours, proposed, now)
        self._changed(there, lambda found: revised(found, ours), now)
        return f"{REQUEST}/{there['id']}"

    def _booked_by_itself(self, request: Resource, proposed: Proposed, now: datetime) -> Seen | None:
        """Return an Appointment that the clinic made for the proposal, beside ours or instead of it."""
        name = f"{REQUEST}/{request['id']}"
        try:
            pages = list(self._client.search(APPOINTMENT, [("based-on", name)], now))
        except SendError as failure:
            if failure.permanent:
                return None  # it can't be searched so there
            raise
        # A server may leave out what it does not understand, and tell of everybody's appointments.
        found = [one for page in pages for one in _matches(page, APPOINTMENT) if is_based_on(one, name)]
        booked = [_seen(one, proposed) for one in found if not is_suggestions(one, proposed.id)]
        return next((seen for seen in booked if seen.status in _BOOKED), None)

    def _made(self, resource: Resource, proposed: Proposed, now: datetime) -> Resource:
        unless = f"identifier={suggestion_token(proposed.id)}"
        told = self._client.create(resource, unless, now)
        there = told or self._find(resource["resourceType"], proposed, now)
        if there is None:
            raise SendError(False, "not_found_again", in_doubt=True)
        return there

    def _find(self, kind: str, proposed: Proposed, now: datetime) -> Resource | None:
        """Return what is there for the suggestion: by the id it has there, or by ours."""
        if kind == APPOINTMENT and proposed.external_id and is_id(proposed.external_id):
            return self._client.read(kind, proposed.external_id, now)
        asked = [("identifier", suggestion_token(proposed.id))]
        pages = list(self._client.search(kind, asked, now))
        # It is searched for by what only ours have; a server that does not look may tell of others.
        found = [one for page in pages for one in _matches(page, kind) if is_suggestions(one, proposed.id)]
        if len(found) > 1:
            raise SendError(True, "ambiguous")
        return found[0] if found else None

    def _changed(self, there: Resource, revise: Revise, now: datetime) -> Resource:
        """Change what is still ours to change, as it stands at that moment; return what is there then."""
        kind, name = there["resourceType"], there["id"]
        for _ in range(_TRIES):
            wanted = revise(there)
            if wanted == there or not _is_ours(there):
                return there
            with suppress(Changed):
                told = self._client.update(wanted, now)
                return told or self._again(kind, name, now)
            there = self._again(kind, name, now)
        raise SendError(False, "changes_too_fast")

    def _again(self, kind: str, name: str, now: datetime) -> Resource:
        found = self._client.read(kind, name, now)
        if found is None:
            raise SendError(False, "gone_meanwhile")
        return found


def _unbooked(proposed: Proposed) -> Proposed:
    """Return it as a proposal, whatever we take it for: only the clinic books."""
    return replace(proposed, state=SuggestionState.SUGGESTED, starts_at=None, ends_at=None)


def _sign_in(config: FhirConfig, egress: Egress) -> SignIn:
    if config.auth is None or isinstance(config.auth, str):
        return FixedToken(config.auth)
    return BackendServices(egress, config.base_url, config.auth)


def _matches(page: Resource, kind: str) -> list[Resource]:
    found = (entry.get("resource") for entry in page.get("entry", []))
    return [one for one in found if isinstance(one, dict) and one.get("resourceType") == kind]


def _is_ours(there: Resource) -> bool:
    """Return whether we may still change it: we made it, and the clinic has not gone on with it."""
    if not is_any_suggestions(there):
        return False
    read = read_appointment if there["resourceType"] == APPOINTMENT else read_service_request
    return _readable(read, there).status in _OURS


def _seen(there: Resource, proposed: Proposed) -> Seen:
    was_booked = proposed.state in _WAS_BOOKED
    return _readable(lambda found: read_appointment(found, was_booked or None), there)


def _with_request(seen: Seen, request: Seen) -> Seen:
    """Return how it stands where the clinic answered by its copy of the proposal."""
    if request.status is PeerStatus.PROPOSED or request.status is PeerStatus.FULFILLED:
        return seen
    return replace(
        seen,
        status=request.status,
        decline=request.decline,
        version=request.version,
        changed_at=request.changed_at,
    )


def _readable(read: Callable[[Resource], T], resource: Resource) -> T:
    try:
        return read(resource)
    except ValueError:
        raise SendError(True, "unreadable") from None
