"""What the scale rules say of a patient's filled scales, read from a bounded stretch of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, literal, select

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.policy import Policy
from server.clinical.scale_watch import Score, ScoredDay, scored_days
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick, yardstick
from server.models import QuestionnaireResponse
from server.services.asking import Span, bounds, of_patient, within
from server.services.foresight import Foresight
from server.services.scales.reliable_day import is_reliable
from server.services.work import Work

YARDSTICKS: Mapping[str, Yardstick] = {
    key: found for key, made in INSTRUMENTS.items() if (found := yardstick(made)) is not None
}
# Those of the activation watch are read along: it looks at the same days.
ASRM, DIGIBP = "asrm", "digibp"
MOST_SPANS = 8  # two of `spans`, and as many as a judgement looks at beside them
_FILLED = (
    select(
        QuestionnaireResponse.instrument,
        QuestionnaireResponse.local_day,
        QuestionnaireResponse.total,
        QuestionnaireResponse.subscores,
        QuestionnaireResponse.superseded,
    )
    .where(
        *of_patient(QuestionnaireResponse),
        QuestionnaireResponse.instrument.in_([literal(key) for key in sorted({*YARDSTICKS, ASRM, DIGIBP})]),
        QuestionnaireResponse.deleted_at.is_(None),
        is_reliable(),
        within(QuestionnaireResponse.local_day, MOST_SPANS),
    )
    .order_by(QuestionnaireResponse.occurred_at, QuestionnaireResponse.id)
)

# Instrument, day, total, subscores, whether another one took its place.
FilledScale = Row[str, date, float | None, dict[str, float | None], bool]
ScoredDays = Mapping[Arm, Mapping[date, Sequence[ScoredDay]]]


def spans(span: Span, sessions: Sequence[date], policy: Policy) -> Sequence[Span]:
    """Return the days whose scales count for ``span``. ``sessions``: the delivered ones, oldest first."""
    first, last = span
    recent = (first - timedelta(days=policy.whole("scale.window_days")), last)
    if not sessions:
        return [recent]
    before = sessions[0] - timedelta(days=policy.whole("scale.pre_days"))
    return [recent, (before, min(sessions[0], last))]


def foresee(ahead: Foresight, each: Iterable[tuple[UUID, Sequence[Span]]]) -> None:
    """Ask at once for what is `filled` by several patients, each on days of their own."""
    ahead.ask(_FILLED, [_values(patient_id, wanted) for patient_id, wanted in each])


def filled(work: Work, patient_id: UUID, wanted: Sequence[Span]) -> Sequence[FilledScale]:
    """Return the scales filled on the days ``wanted``, in the order of filling, where the day is reliable."""
    return work.rows(_FILLED, **_values(patient_id, wanted))


def _values(patient_id: UUID, wanted: Sequence[Span]) -> dict[str, Any]:
    return {"patient": patient_id, **bounds(wanted, MOST_SPANS)}


def judged(rows: Sequence[FilledScale], span: Span, sessions: Sequence[date], policy: Policy) -> ScoredDays:
    """Return the judged scores of the days of ``span`` (both included), by arm and day.

    ``rows``: what was filled in reach (`spans`), and perhaps more. ``sessions``: the delivered ones, oldest
    first. An arm with a score in reach is there, if only empty.
    """
    first, last = span
    scores = _scores(rows, spans(span, sessions, policy))
    found: dict[Arm, dict[date, list[ScoredDay]]] = {}
    for key in sorted(scores):
        made = YARDSTICKS[key]
        days = found.setdefault(made.arm, defaultdict(list))
        begun = [day for day in sessions if day <= last]
        for scored in scored_days(scores[key], begun, made, policy, first):
            days[scored.day].append(scored)
    return found


def _scores(rows: Sequence[FilledScale], wanted: Sequence[Span]) -> Mapping[str, Sequence[Score]]:
    """Return one score a day of each scale: the one filled last counts, as for an occurrence."""
    found: dict[str, dict[date, Score]] = defaultdict(dict)
    for instrument, day, total, _, superseded in rows:
        if total is None or superseded or instrument not in YARDSTICKS:
            continue
        if any(begin <= day <= end for begin, end in wanted):
            found[instrument][day] = Score(day, YARDSTICKS[instrument].worse(total))
    return {key: list(days.values()) for key, days in found.items()}
