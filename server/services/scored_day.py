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
from server.services.work import Work

YARDSTICKS: Mapping[str, Yardstick] = {
    key: found for key, made in INSTRUMENTS.items() if (found := yardstick(made)) is not None
}
_A_DAY = int(timedelta(days=1).total_seconds())

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
    table = QuestionnaireResponse
    query = select(table.instrument, table.local_day, table.total).where(
        table.clinic_id == work.clinic_id,
        table.patient_id == patient_id,
        table.instrument.in_(YARDSTICKS),
        table.total.is_not(None),
        table.deleted_at.is_(None),
        table.superseded.is_(False),
        # A clock that was off by a day or more names no day that anything is judged by.
        or_(table.clock_skew_seconds.is_(None), table.clock_skew_seconds.between(-_A_DAY, _A_DAY)),
        or_(*(table.local_day.between(begin, min(end, last)) for begin, end in ranges)),
    )
    found: dict[str, dict[date, Score]] = defaultdict(dict)
    for row in work.session.execute(query.order_by(table.occurred_at, table.id)):
        value = YARDSTICKS[row.instrument].worse(row.total)
        found[row.instrument][row.local_day] = Score(row.local_day, value)
    return {key: list(days.values()) for key, days in found.items()}
