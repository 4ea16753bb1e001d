"""How far a phone's clock was off when it sent something: noted, never corrected or refused."""

from datetime import datetime, timedelta
from typing import Any

# Networks are slow and phones drift; further off than this, the times an entry gives may be wrong.
CLOCK_TRUSTED = timedelta(minutes=10)


def clock_of(sent_at: datetime | None, received_at: datetime) -> dict[str, Any]:
    """Return the columns that say how far a phone's clock was off: noted only."""
    if sent_at is None:
        return {"clock_skew_seconds": None, "clock_suspect": False}
    # Judged by what is kept: an export holds whole seconds, and must come back to the same mark.
    skew = round((received_at - sent_at).total_seconds())
    return {"clock_skew_seconds": skew, "clock_suspect": abs(skew) > CLOCK_TRUSTED.total_seconds()}
