"""A clinician changes a suggested visit before it is booked: window, urgency, length, always with a reason.

Never a dose, a drug or an interval: a suggestion has none.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from server.clinical import visit_window
from server.clinical.facts import Facts
from server.clinical.guards import Block
from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction, move
from server.clinical.visit_window import Window
from server.clinical.vocabulary import AlertClass, SuggestionState
from server.models import BookingSuggestion, Patient
from server.services import local_day as local_days
from server.services.errors import Invalid
from server.services.visits import suggestion_guard as suggestion_guards
from server.services.visits.suggestion_move import check_version, for_staff, make_move
from server.services.work import Work

_CHANGED = ("earliest", "latest", "urgency", "minutes")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes otherwise, None for what stays. ``override_reason``: why in spite of guards."""

    reason: str
    earliest: date | None = None
    latest: date | None = None
    urgency: AlertClass | None = None
    minutes: int | None = None
    override_reason: str | None = None


def change(work: Work, suggestion_id: UUID, version: int, wanted: Change) -> BookingSuggestion:
    """Change an unbooked suggestion; its version rises. What is so already is no change.

    A draft's guards are asked when it is approved; one that was approved before is asked for here and now.
    A window before the plan's shortest interval is a guard like any other: raises Blocked without an
    override reason, SafetyFirst where none would do; Invalid for a window that can't be; Stale.
    """
    suggestion = for_staff(work, suggestion_id)
    check_version(suggestion, version)
    move(SUGGESTION_MOVES, suggestion.state, SuggestionAction.CHANGE)
    before = _told(suggestion)
    after = before | {key: value for key, value in asdict(wanted).items() if key in _CHANGED and value}
    if after == before:
        work.audit("booking-suggestion.read", suggestion.patient_id, suggestion.id)
        return suggestion
    window, was = Window(after["earliest"], after["latest"]), Window(suggestion.earliest, suggestion.latest)
    _check(work, suggestion, window, was)
    overridden = _guard(work, suggestion, None if window.earliest == was.earliest else window, wanted)
    for name in _CHANGED:
        setattr(suggestion, name, after[name])
    if window != was:
        _ask_anew(suggestion)
    detail = {
        "reason": wanted.reason,
        "from": {name: str(before[name]) for name in _CHANGED if before[name] != after[name]},
        "to": {name: str(after[name]) for name in _CHANGED if before[name] != after[name]},
        **overridden,
    }
    make_move(work, suggestion, SuggestionAction.CHANGE, detail)
    return suggestion


def _told(suggestion: BookingSuggestion) -> dict[str, Any]:
    return {name: getattr(suggestion, name) for name in _CHANGED}


def _check(work: Work, suggestion: BookingSuggestion, window: Window, before: Window) -> None:
    problem = visit_window.problem(window, before, _today(work, suggestion))
    if problem is not None:
        raise Invalid(f"/{problem[0]}", problem[1])


def _guard(work: Work, suggestion: BookingSuggestion, moved: Window | None, wanted: Change) -> dict[str, Any]:
    """Return what was overridden and why, for the log; raises where it must not be."""
    facts = suggestion_guards.facts_of(work, suggestion)
    blocks = [*suggestion_guards.blocks_now(work, suggestion, facts)]
    asked = blocks if suggestion.state is not SuggestionState.DRAFT else []
    if moved is not None and (soon := _too_soon(work, suggestion, moved, facts)):
        asked = [soon, *(block for block in asked if block.code is not soon.code)]
    if not asked:
        suggestion.blocks = suggestion_guards.plain(blocks)
        return {}
    reason = suggestion_guards.passed(suggestion, asked, wanted.override_reason)
    return {"override_reason": reason, "overridden": [block.code for block in asked]}


def _too_soon(work: Work, suggestion: BookingSuggestion, window: Window, facts: Facts) -> Block | None:
    return visit_window.too_soon(window.earliest, facts.plan, facts.sessions, _today(work, suggestion))


def _ask_anew(suggestion: BookingSuggestion) -> None:
    # What the patient said, and the time the clinic asked about, were for another window.
    suggestion.patient_answer = suggestion.patient_answered_at = None
    suggestion.proposed_starts_at = suggestion.proposed_ends_at = None


def _today(work: Work, suggestion: BookingSuggestion) -> date:
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    return local_days.of(work, work.now, patient.zone)
