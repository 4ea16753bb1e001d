"""What else was reported around a signal: shown beside it, never used to hold it back.

Medication, infection or grief move the same items as an illness that returns; who judges the signal must
see them. Nothing here reaches the watch. Source: docs/clinical.md, "Confounders".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from server.clinical.policy import Policy
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import Adherence, Circumstance

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_NAMED = 3
_WORDS: Mapping[str, str] = {
    "medication_not_taken": "medication not taken",
    "medication_partly_taken": "medication taken only partly",
    "opioid_changed": "opioid changed",
    "rescue_medication": "rescue medication taken",
    "short_night": "short nights",
    "zone_change": "another time zone",
    **{what: what.replace("_", " ") for what in Circumstance},
}
_ADHERENCE = {Adherence.NO: "medication_not_taken", Adherence.PARTLY: "medication_partly_taken"}


@dataclass(frozen=True, slots=True)
class DaySaid:
    """What one entry of local ``day`` says that may explain a signal.

    ``rescue_doses`` and ``opioid_changed`` are those of the entry's medication; grades are 0-4.
    """

    day: date
    adherence: Adherence | None = None
    rescue_doses: int = 0
    opioid_changed: bool = False
    circumstances: Sequence[Circumstance] = ()
    side_effects: Mapping[str, int] = field(default_factory=dict)
    sleep_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Confounder:
    """One thing reported on ``days`` (oldest first), and the words for it."""

    what: str
    days: tuple[date, ...]
    text: str


def confounders(
    said: Iterable[DaySaid], zone_changes: Iterable[date], since: date, until: date, policy: Policy
) -> tuple[Confounder, ...]:
    """Return what was reported from `first_day` of ``since`` to ``until``, in the order of its first day.

    ``zone_changes`` are the days on which the patient came into another zone. Nothing depends on the
    order of what comes in.
    """
    first, found = first_day(since, policy), defaultdict(set)
    reported = [(one.day, what) for one in said for what in _of(one, policy)]
    reported += [(day, "zone_change") for day in zone_changes]
    for day, what in reported:
        if first <= day <= until:
            found[what].add(day)
    made = [Confounder(what, tuple(sorted(days)), _text(what, sorted(days))) for what, days in found.items()]
    return tuple(sorted(made, key=lambda one: (one.days[0], one.what)))


def first_day(since: date, policy: Policy) -> date:
    """Return the first day that is looked at for a signal that began on ``since``."""
    return since - timedelta(days=policy.whole("confounders.before_days"))


def sentence(found: Sequence[Confounder]) -> str:
    """Return what a clinician reads after the signal; empty where nothing was reported."""
    return f"Also reported: {'; '.join(one.text for one in found)}." if found else ""


def plain(found: Sequence[Confounder]) -> list[dict[str, object]]:
    """Return the confounders as JSON-ready data."""
    return [
        {"what": one.what, "days": [day.isoformat() for day in one.days], "text": one.text} for one in found
    ]


def _of(one: DaySaid, policy: Policy) -> Iterator[str]:
    if one.adherence in _ADHERENCE:
        yield _ADHERENCE[one.adherence]
    if one.opioid_changed:
        yield "opioid_changed"
    if one.rescue_doses > 0:
        yield "rescue_medication"
    if one.sleep_hours is not None and one.sleep_hours < policy["confounders.short_night_hours"]:
        yield "short_night"
    yield from one.circumstances
    yield from (term for term, grade in one.side_effects.items() if grade >= policy["confounders.grade"])


def _text(what: str, days: Sequence[date]) -> str:
    words = _WORDS.get(what) or SIDE_EFFECTS[what].label.lower()
    if len(days) > _NAMED:
        return f"{words} on {len(days)} days from {_day(days[0])} to {_day(days[-1])}"
    named = [_day(day) for day in days]
    listed = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    return f"{words} on {listed}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"
