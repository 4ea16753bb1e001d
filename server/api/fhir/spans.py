"""FHIR's bounds of time as spans of moments."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.fhir.search import Bound
from server.services.journal.reported import Spans


def spans(bounds: Sequence[Bound] | None, zone: str) -> Spans:
    """Return ``bounds`` with an offset each: where none was said, the clocks of ``zone`` are meant."""
    return [(_aware(bound.since, zone), _aware(bound.before, zone)) for bound in bounds or ()]


def _aware(at: datetime | None, zone: str) -> datetime | None:
    if at is None or at.tzinfo is not None:
        return at
    return at.replace(tzinfo=ZoneInfo(zone))
