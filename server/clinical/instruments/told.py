"""What a patient is told of a scale they filled: numbers in plain words, and nothing concluded from them.

Names of bands ("severe") are the care team's to explain: the patient hears which part of the range
the total lies in, and not even that where the total ranks a risk or the answers need more protection
than others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.clinical.instruments.instrument import Instrument, Method
from server.clinical.instruments.scoring import band
from server.clinical.vocabulary import Direction, Sensitivity

_BETTER: Mapping[Direction, str] = {
    Direction.HIGH_GOOD: ", where higher is better",
    Direction.HIGH_BAD: ", where lower is better",
    Direction.NEUTRAL: "",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Part ``number`` (from 1, lowest first) of the ``of`` parts a scale is read in: ``low`` .. ``high``."""

    number: int
    of: int
    low: float
    high: float


def has_total(instrument: Instrument) -> bool:
    """Return whether filling the scale makes a total at all."""
    return instrument.scoring.method is not Method.PROFILE


def is_guarded(instrument: Instrument) -> bool:
    """Return whether totals are told as numbers only, and never drawn: a rank of risk, or substance use."""
    return instrument.scoring.method is Method.TIER or instrument.sensitivity is not Sensitivity.ORDINARY


def part_of(instrument: Instrument, total: float | None) -> Part | None:
    """Return the part ``total`` lies in; None without a total, without bands, and for a guarded scale."""
    found = None if is_guarded(instrument) else band(instrument, total)
    if found is None:
        return None
    return Part(instrument.bands.index(found) + 1, len(instrument.bands), found.low, found.high)


def answered(instrument: Instrument, missing: Sequence[str]) -> int:
    """Return how many of the scored questions were answered, or rightly skipped; ``missing`` were not."""
    return len(instrument.scored_items) - len(missing)


def headline(instrument: Instrument) -> str:
    """Return the scale's name with its range and the end that is better."""
    return f"{instrument.title}, {_span(instrument)}"


def _span(instrument: Instrument) -> str:
    scoring = instrument.scoring
    return f"{scoring.low:g} to {scoring.high:g}{_BETTER[instrument.direction]}"


def sentences(instrument: Instrument, total: float | None, prorated: bool) -> tuple[str, ...]:
    """Return what was filled, to be shown as it is."""
    return tuple(_sentences(instrument, total, prorated))


def _sentences(instrument: Instrument, total: float | None, prorated: bool) -> Iterator[str]:
    if not has_total(instrument):
        yield f"{instrument.title}: filled."
        return
    if total is None:
        yield f"{instrument.title}: filled, with too many questions left open for a total."
        return
    yield f"{instrument.title}: {round(total, 1):g} on a scale from {_span(instrument)}."
    if prorated:
        yield "Some questions were left open; the total was worked out from the others."
    part = part_of(instrument, total)
    if part is not None:
        span = f"{part.low:g} to {part.high:g}" if part.low < part.high else f"{part.low:g}"
        yield f"The scale is read in {part.of} parts; this total lies in part {part.number} ({span})."
