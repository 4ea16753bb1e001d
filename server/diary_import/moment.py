"""A moment as files write it."""

from datetime import UTC, datetime


def in_utc(text: str) -> str:
    """Return a moment with an offset as it is in UTC. ValueError for what is none, or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("has no offset")
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("lies outside of all years") from None
