"""A visit in the words its patient reads: neutral, without a reason.

Source: docs/visits.md, "What the patient sees".
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from server.clinical.vocabulary import OfferedVisitState, SuggestionState

_ENDED = "This visit is not planned any more. Your clinic can tell you more."
_OVER = "This visit is over."
_STATES = {
    SuggestionState.BOOKED: OfferedVisitState.BOOKED,
    SuggestionState.ARRIVED: OfferedVisitState.BOOKED,
    SuggestionState.FULFILLED: OfferedVisitState.OVER,
    SuggestionState.NOSHOW: OfferedVisitState.OVER,
}
# Where nobody says what became of an appointment, its time decides: it was planned to the end.
_APPOINTED = frozenset({SuggestionState.BOOKED, SuggestionState.ARRIVED, SuggestionState.EXPIRED})
_OFFERED = frozenset(
    {
        *(SuggestionState.SUGGESTED, SuggestionState.SENT),
        *(SuggestionState.ACKNOWLEDGED, SuggestionState.NEEDS_ATTENTION),
    }
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is to say: the window (local days), and the time that is asked about or booked (aware)."""

    earliest: date
    latest: date
    proposed_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str


def state_of(state: SuggestionState, offer: Offer, now: datetime) -> OfferedVisitState:
    """Return how an approved suggestion stands for its patient: how it got there is the clinic's matter.

    A time that has passed is neither asked about nor an appointment any more.
    """
    if state in _OFFERED:
        is_asked = offer.proposed_at is not None and offer.proposed_at > now
        return OfferedVisitState.TIME_PROPOSED if is_asked else OfferedVisitState.OFFERED
    if state in _APPOINTED and offer.ends_at is not None and offer.ends_at <= now:
        return OfferedVisitState.OVER
    return _STATES.get(state, OfferedVisitState.ENDED)


def tell(state: OfferedVisitState, offer: Offer) -> str:
    """Return one sentence, with times on the patient's own clock."""
    if state is OfferedVisitState.TIME_PROPOSED and offer.proposed_at is not None:
        return f"Your clinic asks whether you could come on {_moment(offer.proposed_at, offer.zone)}."
    if state is OfferedVisitState.BOOKED and offer.starts_at is not None:
        return f"You have an appointment on {_moment(offer.starts_at, offer.zone)}."
    if state is OfferedVisitState.OFFERED:
        between = f"between {_day(offer.earliest)} and {_day(offer.latest)}"
        when = f"on {_day(offer.earliest)}" if offer.earliest == offer.latest else between
        return f"Your clinic would like to arrange a visit {when}."
    return _OVER if state is OfferedVisitState.OVER else _ENDED


def _moment(at: datetime, zone: str) -> str:
    there = at.astimezone(ZoneInfo(zone))
    return f"{_day(there.date())} at {there:%H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
