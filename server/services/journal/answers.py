"""What an entry says to the rules of red flags: its answers, and how long after a session they came."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from server.clinical.redflags import Answers, Onset
from server.models import Entry
from server.services.journal.incoming import CLOCK_TRUSTED

HOUR = timedelta(hours=1)


def answers_of(entry: Entry, sessions: Sequence[datetime]) -> Answers:
    """Return what an entry says to the red-flag rules; ``sessions`` are the delivered ones, in order."""
    began = {term: datetime.fromisoformat(text) for term, text in entry.side_effect_onset.items()}
    return Answers(
        safety=entry.safety,
        side_effects=entry.side_effects,
        items=entry.items,
        hours_since_session=entry.hours_since_session,
        hours_by_our_clock=hours_by_our_clock(
            (entry.clock_suspect, entry.clock_skew_seconds), entry.occurred_at, sessions
        ),
        onsets={
            term: Onset(hours_since(sessions, at), (entry.occurred_at - at) / HOUR)
            for term, at in began.items()
        },
    )


def felt_at(entry: Entry) -> datetime:
    """Return when an entry was felt: of a clock off by days by ours, or else when the entry came in."""
    if entry.day_reliable:
        return entry.occurred_at
    off = _off(entry.clock_skew_seconds)
    return entry.received_at if off is None else entry.occurred_at + off


def hours_since(sessions: Sequence[datetime], at: datetime) -> float | None:
    """Return the hours from the last of ``sessions`` (in order) to ``at``; None before the first."""
    before = bisect_right(sessions, at)
    return (at - sessions[before - 1]) / HOUR if before else None


def hours_by_our_clock(
    clock: tuple[bool, int | None], at: datetime, sessions: Sequence[datetime]
) -> tuple[float | None, ...]:
    """Return the hours again where the phone's clock is suspected; None: nobody knows how far it was off.

    ``clock``: what an entry says of it, whether it is suspected and its skew in seconds.
    """
    is_suspected, skew = clock
    if not is_suspected:
        return ()
    off = _off(skew)
    return (None if off is None else hours_since(sessions, at + off),)


def _off(skew: int | None) -> timedelta | None:
    """Return how far a phone's clock was behind by its ``skew`` in seconds; None: too little to tell."""
    off = timedelta(seconds=skew or 0)
    return off if abs(off) > CLOCK_TRUSTED else None
