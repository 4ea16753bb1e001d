"""What the scale rules say of a patient's filled scales, read from a bounded stretch of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import or_, select

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.policy import Policy
from server.clinical.scale_watch import Score, ScoredDay, scored_days
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick, yardstick
from server.models import QuestionnaireResponse
from server.services.asking import bounds, of_patient, within
from server.services.work import Work

YARDSTICKS: Mapping[str, Yardstick] = {
    key: found for key, made in INSTRUMENTS.items() if (found := yardstick(made)) is not None
}
_A_DAY = int(timedelta(days=1).total_seconds())
_SPANS = 2
_SCORES = (
    select(QuestionnaireResponse.instrument, QuestionnaireResponse.local_day, QuestionnaireResponse.total)
    .where(
        *of_patient(QuestionnaireResponse),
        QuestionnaireResponse.instrument.in_(YARDSTICKS),
        QuestionnaireResponse.total.is_not(None),
        QuestionnaireResponse.deleted_at.is_(None),
        QuestionnaireResponse.superseded.is_(False),
        # A clock that was off by a day or more names no day that anything is judged by.
        or_(
            QuestionnaireResponse.clock_skew_seconds.is_(None),
            QuestionnaireResponse.clock_skew_seconds.between(-_A_DAY, _A_DAY),
        ),
        within(QuestionnaireResponse.local_day, _SPANS),
    )
    .order_by(QuestionnaireResponse.occurred_at, QuestionnaireResponse.id)
)

ScoredDays = Mapping[Arm, Mapping[date, Sequence[ScoredDay]]]


def load(
    work: Work, patient_id: UUID, span: tuple[date, date], sessions: Sequence[date], policy: Policy
) -> ScoredDays:
    """Return the judged scores of the days of ``span`` (both included), by arm and day.

    ``sessions``: the delivered ones, oldest first. An arm with a score in reach is there, if only empty.
    """
    first, last = span
    scores = _scores(work, patient_id, _ranges(first, last, sessions, policy), last)
    found: dict[Arm, dict[date, list[ScoredDay]]] = {}
    for key in sorted(scores):
        made = YARDSTICKS[key]
        days = found.setdefault(made.arm, defaultdict(list))
        begun = [day for day in sessions if day <= last]
        for scored in scored_days(scores[key], begun, made, policy, first):
            days[scored.day].append(scored)
    return found


def _ranges(first: date, last: date, sessions: Sequence[date], policy: Policy) -> Sequence[tuple[date, date]]:
    recent = (first - timedelta(days=policy.whole("scale.window_days")), last)
    if not sessions:
        return [recent]
    return [recent, (sessions[0] - timedelta(days=policy.whole("scale.pre_days")), sessions[0])]


def _scores(
    work: Work, patient_id: UUID, ranges: Sequence[tuple[date, date]], last: date
) -> Mapping[str, Sequence[Score]]:
    """Return one score a day of each scale: the one filled last counts, as for an occurrence."""
    spans = [(begin, min(end, last)) for begin, end in ranges]
    found: dict[str, dict[date, Score]] = defaultdict(dict)
    for row in work.rows(_SCORES, patient=patient_id, **bounds(spans, _SPANS)):
        value = YARDSTICKS[row.instrument].worse(row.total)
        found[row.instrument][row.local_day] = Score(row.local_day, value)
    return {key: list(days.values()) for key, days in found.items()}
