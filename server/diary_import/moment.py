"""A moment as files write it. ValueError for what is none, has no offset or lies outside of all years."""

from datetime import UTC, datetime


def in_utc(text: str) -> str:
    """Return a moment with an offset as it is in UTC."""
    return _aware(text).isoformat()


def as_said(utc: str, said: str) -> str:
    """Return the moment ``utc`` as it was ``said``, with its offset; in UTC where that is empty.

    ValueError also where the two are not the same moment.
    """
    moment = _aware(utc)
    if not said:
        return moment.isoformat()
    if _aware(said) != moment:
        raise ValueError("is another moment")
    return datetime.fromisoformat(said).isoformat()


def at_offset(text: str, offset: str) -> str:
    """Return a moment as it was said at ``offset`` (+05:45)."""
    try:
        return _aware(text).astimezone(datetime.strptime(offset, "%z").tzinfo).isoformat()
    except OverflowError:
        raise ValueError("lies outside of all years") from None


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("has no offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of all years") from None
