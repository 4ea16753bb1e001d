"""What the care team records of a patient is held against visits that were approved before it was known."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.guards import BlockCode
from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.vocabulary import ReviewCode, SuggestionState
from server.models import BloodPressure, BookingSuggestion, Course, Precaution
from server.services.asking import of_patient
from server.services.visits import blood_pressure as blood_pressures
from server.services.visits import course as courses
from server.services.visits import precaution as precautions
from server.services.visits import review_task as review_tasks
from server.services.visits import suggestion_guard as suggestion_guards
from server.services.visits.review_task import Finding
from server.services.work import Work

# What is nobody's record: an alert of its own tells of it, or it comes and goes with time.
_NOT_RECORDED = frozenset(
    {
        BlockCode.SI_ACUTE,
        BlockCode.AE_OPEN,
        BlockCode.INTERVAL,
        BlockCode.NORESP,
        BlockCode.AGE,
        BlockCode.DATA,
    }
)
# Drafts too: of somebody who approves one at this moment it is waited for what they make of it.
_OPEN = (
    select(BookingSuggestion)
    .where(*of_patient(BookingSuggestion), BookingSuggestion.state.in_(sorted(OPEN_SUGGESTIONS)))
    .order_by(BookingSuggestion.id)
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


def precaution(work: Work, patient_id: UUID, values: dict[str, Any]) -> Precaution:
    """Record a precaution (`precautions.create`) and ask a person about visits that it speaks against."""
    made = precautions.create(work, patient_id, values)
    _look(work, patient_id, f"{made.id}")
    return made


def blood_pressure(
    work: Work, patient_id: UUID, systolic: int, diastolic: int, measured_at: datetime | None
) -> BloodPressure:
    """Record a blood pressure (`blood_pressures.create`) and ask about visits in the same way."""
    made = blood_pressures.create(work, patient_id, systolic, diastolic, measured_at)
    _look(work, patient_id, f"{made.id}")
    return made


def course_change(
    work: Work, patient_id: UUID, course_id: UUID, changes: dict[str, Any], version: int
) -> Course:
    """Change a course (`courses.change`) and ask about visits in the same way: it may have ended."""
    made = courses.change(work, patient_id, course_id, changes, version)
    _look(work, patient_id, f"{made.id}:{made.version}")
    return made


def _look(work: Work, patient_id: UUID, key: str) -> None:
    """Ask a person about each approved visit against which anything speaks that its approval did not know.

    What was overridden then stays so, and what the clinic has booked is a fact and stays.
    """
    work.session.flush()
    for visit in work.objects(_OPEN, patient=patient_id):
        if visit.state is not SuggestionState.DRAFT and set(_holding(work, visit)) - _known(visit):
            detail = {"state": visit.state}
            task = Finding(ReviewCode.SAFETY_FIRST, f"{visit.id}:{key}", visit.id, None, detail)
            review_tasks.raise_(work, task)


def _holding(work: Work, visit: BookingSuggestion) -> Iterator[str]:
    facts = suggestion_guards.facts_of(work, visit)
    for block in suggestion_guards.blocks_now(work, visit, facts):
        if block.code not in _NOT_RECORDED:
            yield str(block.code)


def _known(visit: BookingSuggestion) -> set[str]:
    return {block["code"] for block in visit.blocks}
