"""A visit in the words its patient reads: neutral, without a reason.

Source: docs/visits.md, "What the patient sees".
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import Language, OfferedVisitState, SuggestionState

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
    """What there is to say: the window (local days), and the time that is asked about or booked (aware).

    ``zone`` is the patient's, ``clinic_zone`` that of the place they are to come to.
    """

    earliest: date
    latest: date
    proposed_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    clinic_zone: str


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


def tell(state: OfferedVisitState, offer: Offer, language: Language) -> str:
    """Return one sentence in ``language``, with times on the patient's own clock.

    Who is away reads the clinic's beside it: written down as it stands, the time would mislead them at home.
    """
    words, dates = TEXTS[language].visit, TEXTS[language].dates
    if state is OfferedVisitState.TIME_PROPOSED and offer.proposed_at is not None:
        return words.time_proposed.format(moment=_when(offer.proposed_at, offer, language))
    if state is OfferedVisitState.BOOKED and offer.starts_at is not None:
        return words.booked.format(moment=_when(offer.starts_at, offer, language))
    if state is OfferedVisitState.OFFERED:
        first, last = dates.of_day(offer.earliest), dates.of_day(offer.latest)
        said = words.offered_on if first == last else words.offered_between
        return said.format(day=first, first=first, last=last)
    return words.over if state is OfferedVisitState.OVER else words.ended


def _when(at: datetime, offer: Offer, language: Language) -> str:
    words, dates = TEXTS[language].visit, TEXTS[language].dates
    own, there = (at.astimezone(ZoneInfo(zone)) for zone in (offer.zone, offer.clinic_zone))
    moment = dates.of_moment(own)
    if own.utcoffset() == there.utcoffset():
        return moment
    return words.elsewhere.format(moment=moment, there=dates.of_moment(there))
