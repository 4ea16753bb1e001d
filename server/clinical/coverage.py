"""The check ahead: when would nobody who can be reached hear of an urgent alert at its first two levels?

Source: docs/clinical.md, "Rota".
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from server.clinical.rota import Duty


class GapReason(StrEnum):
    """Why nobody would hear. With `fallback_only` the fallback would, and nobody else."""

    NOBODY_REACHABLE = "nobody_reachable"
    NOBODY_ON_CALL = "nobody_on_call"
    ON_CALL_UNREACHABLE = "on_call_unreachable"
    FALLBACK_ONLY = "fallback_only"


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears of an urgent alert at its first two levels.

    ``always``: somebody who can be reached hears at any time. ``duties``: what of the on-call shifts
    counts, None where neither level asks for them; ``unreachable``: the duties among them, or beside
    them, of people nobody can reach. ``fallback``: whether there is one who can be reached.
    """

    always: bool
    duties: tuple[Duty, ...] | None = None
    unreachable: tuple[Duty, ...] = ()
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """From ``starts`` until before ``ends`` (aware) nobody reachable would hear."""

    starts: datetime
    ends: datetime
    why: GapReason

    @property
    def is_open(self) -> bool:
        """Whether nobody at all would hear."""
        return self.why is not GapReason.FALLBACK_ONLY


def coverage(hearing: Hearing, start: datetime, end: datetime) -> tuple[Gap, ...]:
    """Return the gaps from ``start`` until ``end`` (aware), earliest first, neighbours merged.

    A fallback that can be reached closes every gap; that it is needed is said all the same.
    """
    if hearing.always or start >= end:
        return ()
    found = _merged(_gaps(hearing, start, end))
    if not hearing.fallback:
        return tuple(found)
    return tuple(_merged(replace(gap, why=GapReason.FALLBACK_ONLY) for gap in found))


def _gaps(hearing: Hearing, start: datetime, end: datetime) -> Iterator[Gap]:
    """Yield every stretch between two changes of duty in which nobody reachable is on."""
    joins, joins_unreachable = _changes(hearing.duties or (), start), _changes(hearing.unreachable, start)
    changes = {moment for moment in (*joins, *joins_unreachable) if start < moment < end}
    on = unreachable = 0
    for begins, ends in pairwise([start, *sorted(changes), end]):
        on += joins[begins]
        unreachable += joins_unreachable[begins]
        if not on:
            yield Gap(begins, ends, _why(hearing, unreachable))


def _changes(duties: Iterable[Duty], start: datetime) -> Counter[datetime]:
    """Return by how many more (or fewer) are on from each moment on, ``start`` being the first."""
    found: Counter[datetime] = Counter()
    for duty in duties:
        found[max(duty.starts, start)] += 1
        found[max(duty.ends, start)] -= 1
    return found


def _why(hearing: Hearing, unreachable: int) -> GapReason:
    if hearing.duties is None:
        return GapReason.NOBODY_REACHABLE
    return GapReason.ON_CALL_UNREACHABLE if unreachable else GapReason.NOBODY_ON_CALL


def _merged(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Yield ``gaps``, which are in order, with neighbours of the same reason as one."""
    last: Gap | None = None
    for gap in gaps:
        if last is not None and (last.ends, last.why) == (gap.starts, gap.why):
            last = replace(last, ends=gap.ends)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last
