"""A visit that is booked while an urgent safety alert of its patient is open: somebody has to look first."""

from sqlalchemy import select

from server.clinical.vocabulary import AlertClass, AlertFamily, ReviewCode
from server.models import UNRESOLVED, Alert, BookingSuggestion
from server.services.visits import review_task as review_tasks
from server.services.visits.review_task import Finding
from server.services.work import Work


def look(work: Work, suggestion: BookingSuggestion) -> None:
    """Ask a person where the visit was booked although safety comes first.

    What the clinic has booked is a fact and stays. That an alert is open since is not said to its system.
    """
    is_open = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == suggestion.patient_id,
        Alert.family == AlertFamily.SAFETY,
        Alert.urgency.in_((AlertClass.P0, AlertClass.P1)),
        UNRESOLVED,
    )
    if work.session.scalar(is_open.limit(1)) is None:
        return
    detail = {"state": suggestion.state}
    key = f"{suggestion.id}:{suggestion.version}"
    review_tasks.raise_(work, Finding(ReviewCode.SAFETY_FIRST, key, suggestion.id, None, detail))
