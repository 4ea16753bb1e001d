"""What an alert's evidence rests on, by the ids it names: answers, or the clinic's own figures."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

SOURCES = ("entries", "questionnaire_responses", "blood_pressures")
# What is kept of a report that joins an episode.
REPORTED = (*SOURCES, "stored", "other_journal")


def sources_of(evidence: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the answers and figures that evidence names, also of reports and of earlier."""
    return frozenset().union(*map(_named, _parts(evidence)))


def kinds_of(evidence: Mapping[str, Any], named: str) -> Set[str]:
    """Return which of `SOURCES` evidence names by this id: a phone may have made one for two things."""
    return {key for key in SOURCES if any(named in part.get(key, ()) for part in _parts(evidence))}


def taken_back_before(evidence: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what evidence has as taken back but for what is ``said`` now, perhaps of another thing's id."""
    known = evidence.get("taken_back")
    return {} if known is None else {"taken_back": sorted({*known} - sources_of(said))}


def is_of_other(evidence: Mapping[str, Any]) -> bool:
    """Return whether another patient may have said all that evidence rests on: it came with their journal."""
    return all(part.get("other_journal", False) for part in _parts(evidence))


def stands(evidence: Mapping[str, Any], taken_back: Set[str]) -> bool:
    """Return whether anything that evidence names stands but for the answers ``taken_back``.

    What could not be stored was said all the same: nobody can correct it, and a change of what is stored
    under its id says nothing of it.
    """
    return any(
        not part.get("stored", True) or not (named := _named(part)) or not named <= taken_back
        for part in _parts(evidence)
    )


def answers_stand(evidence: Mapping[str, Any], taken_back: Set[str]) -> bool:
    """Return whether any single answer in evidence stands but for those ``taken_back``.

    Of what a trend showed beside it this says nothing.
    """
    answers = (part for part in _parts(evidence) if "flags" in part or any(key in part for key in SOURCES))
    return any(stands({**part, "reports": (), "earlier": ()}, taken_back) for part in answers)


def _parts(evidence: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a finding's evidence and each report and earlier evidence below it."""
    yield evidence
    for part in (*evidence.get("reports", ()), *evidence.get("earlier", ())):
        yield from _parts(part)


def _named(part: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(named for key in SOURCES for named in part.get(key, ()))
