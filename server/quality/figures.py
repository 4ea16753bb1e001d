"""Figures of many replays whose truth is known. Definitions: docs/clinical.md, "How good the watch is"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from server.quality.replay import Replay

# A hit is an alarm from the onset until this many days after the full relapse (reference simulation).
HIT_DAYS = 14
MONTH = 30.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened: watched from ``judged_from``; ``onset`` and ``full`` None where it held."""

    judged_from: date
    last: date
    onset: date | None
    full: date | None

    def stable_days(self) -> int:
        """Return how many watched days lie before any relapse."""
        return max((self.stable_until() - self.judged_from).days + 1, 0)

    def stable_until(self) -> date:
        """Return the last day before any relapse."""
        return self.last if self.onset is None else self.onset - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are 0-1 and None where nobody could show them; the delay is in days from the onset.

    ``false_alarmed`` is the share of stable patients with an alarm in their watched days,
    ``per_month`` the alarms per 30 stable days of all patients, ``insufficient`` the share of judged
    days with too few entries to be judged.
    """

    stable: int
    relapsing: int
    sensitivity: float | None
    false_alarmed: float | None
    per_month: float | None
    median_delay: float | None
    insufficient: float | None


def figures(found: Iterable[tuple[Truth, Replay]]) -> Figures:
    """Return the figures of ``found``."""
    pairs = list(found)
    stable = [(truth, replay) for truth, replay in pairs if truth.onset is None]
    relapsing = [(truth, replay) for truth, replay in pairs if truth.onset is not None]
    delays = [delay for truth, replay in relapsing if (delay := _delay(truth, replay)) is not None]
    false = [false_alarms(truth, replay) for truth, replay in pairs]
    alarmed = sum(false_alarms(truth, replay) > 0 for truth, replay in stable)
    days = sum(truth.stable_days() for truth, _ in pairs)
    judged = sum(replay.judged for _, replay in pairs)
    return Figures(
        stable=len(stable),
        relapsing=len(relapsing),
        sensitivity=_share(len(delays), relapsing),
        false_alarmed=_share(alarmed, stable),
        per_month=sum(false) / (days / MONTH) if days else None,
        median_delay=median(delays) if delays else None,
        insufficient=sum(replay.insufficient for _, replay in pairs) / judged if judged else None,
    )


def false_alarms(truth: Truth, replay: Replay) -> int:
    """Return how many alarms lie in the stable time of the diary."""
    return replay.alarms_between(truth.judged_from, truth.stable_until())


def _delay(truth: Truth, replay: Replay) -> int | None:
    """Return the days from the onset to the first alarm that counts as a hit, or None for a miss."""
    if truth.onset is None:
        return None
    end = (truth.full or truth.last) + timedelta(days=HIT_DAYS)
    hits = [(alarm.day - truth.onset).days for alarm in replay.alarms if truth.onset <= alarm.day <= end]
    return min(hits, default=None)


def _share(part: int, whole: Sequence[object]) -> float | None:
    return part / len(whole) if whole else None
