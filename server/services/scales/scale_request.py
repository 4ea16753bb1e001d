"""The watch asks for a scale: once a spell, where it is not open or freshly filled anyway."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from server.clinical import confirming
from server.clinical.checkins import Anchor, Occurrence, ScalePlan
from server.clinical.instruments.catalog import RATED
from server.clinical.policy import THRESHOLDS, Policy
from server.clinical.relapse import Assessment
from server.clinical.stages import Facts, unconfirmed
from server.clinical.vocabulary import Arm
from server.models import Patient, QuestionnaireResponse, ScaleRequest
from server.services import local_day as local_days
from server.services.asking import of_patient
from server.services.journal import planning
from server.services.scales import scale as offered
from server.services.scales.reliable_day import is_reliable
from server.services.scales.whole_scale import is_whole
from server.services.work import Work

# A judgement of an older day is about the past: what late data show is no reason to ask now.
_CURRENT = timedelta(days=1)
_SHOWN = timedelta(days=30)
# No policy looks back further for what was asked or filled before.
_LONGEST = timedelta(days=THRESHOLDS["confirm.again_days"].high)
_OPEN = (
    select(ScaleRequest)
    .where(*of_patient(ScaleRequest))
    .where(ScaleRequest.local_day <= bindparam("last"), ScaleRequest.last_day >= bindparam("first"))
    .order_by(ScaleRequest.local_day)
)

_ASKED = select(ScaleRequest.local_day).where(
    *of_patient(ScaleRequest),
    ScaleRequest.instrument == bindparam("instrument"),
    ScaleRequest.local_day >= bindparam("since"),
)
_FILLED = select(QuestionnaireResponse.local_day).where(
    *of_patient(QuestionnaireResponse),
    QuestionnaireResponse.instrument == bindparam("instrument"),
    QuestionnaireResponse.local_day >= bindparam("since"),
    QuestionnaireResponse.deleted_at.is_(None),
    is_reliable(),
    is_whole(),
)


def ask(work: Work, patient: Patient, judged: Assessment, policy: Policy) -> None:
    """Ask for the scales that can confirm ``judged``, where it calls for one and not once too often."""
    if not confirming.calls_for_a_scale(judged):  # nearly always
        return
    today = local_days.of(work, work.now, patient.zone)
    if judged.day < today - _CURRENT:
        return
    planned = planning.scales_of(planning.plan_of(work, patient))
    unknown = offered.not_offered(work, {scale.instrument for scale in planned})
    scales = [scale for scale in planned if scale.instrument not in unknown]
    for scale in confirming.wanted(scales, judged.arm, policy):
        asked = _days_asked(work, patient.id, scale.instrument, today - _LONGEST)
        filled = _days_filled(work, patient.id, scale.instrument, today - _LONGEST)
        if not confirming.is_too_soon(asked, filled, today, policy):
            work.session.add(_request(work, patient, (judged.arm, judged.day), scale))
            work.session.flush()


def ask_again(work: Work, patient: Patient, facts: Facts, policy: Policy) -> None:
    """Ask once more for a scale whose one score spoke for a relapse: two in a row say more than one."""
    today = local_days.of(work, work.now, patient.zone)
    for scored in unconfirmed(facts, today, policy):
        key, since = scored.yardstick.key, scored.day + timedelta(days=1)
        done = _days_asked(work, patient.id, key, since) or _days_filled(work, patient.id, key, since)
        if not done and key not in RATED and not offered.not_offered(work, {key}):
            scale = ScalePlan(key, Anchor.WATCH, open_days=policy.whole("confirm.open_days"))
            work.session.add(_request(work, patient, (scored.yardstick.arm, scored.day), scale))
            work.session.flush()


def open_between(work: Work, patient_id: UUID, first: date, last: date) -> Sequence[Occurrence]:
    """Return what the watch asked of a patient that can be done on a local day from ``first`` to ``last``."""
    found = work.objects(_OPEN, patient=patient_id, first=first, last=last)
    return [occurrence_of(row) for row in found]


def recent(work: Work, patient: Patient) -> Sequence[ScaleRequest]:
    """Return what the watch asked for in the last 30 days, oldest first."""
    query = select(ScaleRequest).where(
        ScaleRequest.clinic_id == work.clinic_id,
        ScaleRequest.patient_id == patient.id,
        ScaleRequest.local_day > local_days.of(work, work.now, patient.zone) - _SHOWN,
    )
    return work.session.scalars(query.order_by(ScaleRequest.local_day, ScaleRequest.instrument)).all()


def occurrence_of(row: ScaleRequest) -> Occurrence:
    """Return the occurrence that answers ``row``."""
    return Occurrence(row.instrument, row.local_day, row.last_day)


def _request(work: Work, patient: Patient, judged: tuple[Arm, date], scale: ScalePlan) -> ScaleRequest:
    today = local_days.of(work, work.now, patient.zone)
    return ScaleRequest(
        clinic_id=work.clinic_id,
        patient_id=patient.id,
        instrument=scale.instrument,
        local_day=today,
        last_day=today + timedelta(days=scale.open_days - 1),
        arm=judged[0],
        judged_day=judged[1],
        asked_at=work.now,
    )


def _days_asked(work: Work, patient_id: UUID, instrument: str, since: date) -> Sequence[date]:
    return [row[0] for row in work.rows(_ASKED, patient=patient_id, instrument=instrument, since=since)]


def _days_filled(work: Work, patient_id: UUID, instrument: str, since: date) -> Sequence[date]:
    """Return the days since then on which the scale was filled; one left too open for a total was not."""
    return [row[0] for row in work.rows(_FILLED, patient=patient_id, instrument=instrument, since=since)]
