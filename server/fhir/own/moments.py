"""Moments with the offset they were said with: R4 writes up to 14 hours of it, a phone may say more."""

from datetime import UTC, datetime, timedelta

from server.fhir.identifiers import Resource
from server.fhir.own import codes
from server.fhir.own.codes import extension

_FARTHEST = timedelta(hours=14)


def writable(said: str) -> str:
    """Return a moment as it was ``said``, or in UTC where R4 has no such offset."""
    moment = datetime.fromisoformat(said)
    offset = moment.utcoffset() or timedelta()
    known = abs(offset) <= _FARTHEST and not offset.total_seconds() % 60
    return said if known else moment.astimezone(UTC).isoformat()


def offset_of(said: str) -> Resource:
    """Return the extension that says the offset of a moment (+05:45)."""
    moment = datetime.fromisoformat(said)
    offset = moment.isoformat().removeprefix(moment.replace(tzinfo=None).isoformat())
    return extension(codes.UTC_OFFSET, valueString=offset)
