"""Verifies of audit logs what a day has to: what is new, the newest of the old, and the rest in its turn."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from jobs import anchor_file, audit_noted
from jobs.audit_walk import Chain
from server.database import Database
from server.services.audit import anchor, turn, verifying
from server.services.audit.anchor import Anchor, Compared
from server.services.audit.turn import Pace
from server.services.audit.verifying import Found, Walk


@dataclass(frozen=True, slots=True)
class Judged:
    """One clinic: its ``walk`` to the end of its chain, all ``lines`` that were walked, the first bad row."""

    clinic_id: UUID
    walk: Walk
    lines: int
    found: Found | None


@dataclass(frozen=True, slots=True)
class Day:
    """What is verified at ``now``, with the file of noted ends."""

    database: Database
    now: datetime
    file: Path
    pace: Pace = field(default_factory=Pace)

    def judge(self, ids: Collection[UUID]) -> Iterator[Judged]:
        """Yield the verdict on each of ``ids``, and on each clinic that only the file knows.

        Raises `Problem` for a file that can't be read.
        """
        noted = audit_noted.look(self.file)
        due = partial(audit_noted.is_due, noted, self.pace, self.now)
        said = audit_noted.compared(self.database, self.now, anchor_file.batches(self.file, due))
        for clinic_id in sorted({*ids, *said}):
            chain = Chain(self.database, self.now, clinic_id)
            checkpoint = noted.checkpoints.get(str(clinic_id))
            yield self._judged(chain, checkpoint, said.get(clinic_id, Compared()))

    def note(self, some: Judged) -> None:
        """Note outside the database up to where a chain was verified. Raises OSError."""
        if some.walk.end.position > 0:
            with Chain(self.database, self.now, some.clinic_id).work() as work:
                anchor_file.append(self.file, [anchor.checkpoint(work, some.walk.end)])

    def _judged(self, chain: Chain, checkpoint: Anchor | None, said: Compared) -> Judged:
        trusted = checkpoint if checkpoint is not None and _holds(chain, checkpoint) else None
        if said.found is not None or trusted is not checkpoint:
            # Not all lines were held against the chain: what an old one says may be excused, or come first.
            ours = (one for one in anchor_file.batches(self.file) if one[0] == chain.clinic_id)
            said = audit_noted.compared(self.database, self.now, ours)[chain.clinic_id]
        judged = _whole(chain) if trusted is None else self._since(chain, trusted)
        return judged if judged.found or not said.found else replace(judged, found=said.found)

    def _since(self, chain: Chain, checkpoint: Anchor) -> Judged:
        # Its own link is walked once more: the proof of the chain's end may have gone since.
        begins = max(0, checkpoint.position - max(1, self.pace.again))
        walk = chain.to_the_end(begins)
        its_turn = turn.turn_of(self.pace, checkpoint.at, self.now)
        lines, found = walk.lines, None
        for after, until in turn.stretches(self.pace, its_turn, begins):
            part = chain.between(after, until)
            lines, found = lines + part.lines, found or part.found
        with chain.work() as work:
            late = turn.late_today(work, its_turn) if begins else verifying.late(work)
        return Judged(chain.clinic_id, walk, lines, found or walk.found or late)


def _whole(chain: Chain) -> Judged:
    walk = chain.whole()
    return Judged(chain.clinic_id, walk, walk.lines, walk.found)


def _holds(chain: Chain, checkpoint: Anchor) -> bool:
    """Say whether a checkpoint is one of ours, and its link still what it was."""
    batch = (chain.clinic_id, [checkpoint])
    return audit_noted.compared(chain.database, chain.now, [batch])[chain.clinic_id].found is None
