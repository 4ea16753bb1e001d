"""When the care team saw what a patient reported on a day, in words that judge nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import Language

_DATES = TEXTS[Language.EN].dates


@dataclass(frozen=True, slots=True)
class Sight:
    """On which day a report was first seen: the diary was ``opened``, an alert about it was ``handled``."""

    opened: date | None = None
    handled: date | None = None


def sentences(sights: Sequence[Sight]) -> tuple[str, ...]:
    """Return what to tell of a day with one sight for each of its reports; nothing where none was seen.

    Whoever opens a diary need not have read this line; whoever takes on an alert has seen what is in it.
    """
    handled = [sight.handled for sight in sights if sight.handled is not None]
    opened = [sight.opened for sight in sights if sight.opened is not None]
    if handled:
        what = "this" if len(handled) == len(sights) else "part of this"
        return (f"Your care team saw {what} on {_DATES.of_day(max(handled))}.",)
    return (f"Your care team opened your diary on {_DATES.of_day(max(opened))}.",) if opened else ()
