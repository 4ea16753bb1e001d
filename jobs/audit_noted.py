"""What of the file of noted ends is read today: what is new, each chain's newest end, and the old in turn."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from jobs import anchor_file
from jobs.audit_walk import Chain
from server.database import Database
from server.keys.sealing import SealError
from server.services.audit import anchor
from server.services.audit.anchor import Anchor, Compared
from server.services.audit.turn import Pace, turn_of
from server.services.audit.verifying import Fault, Found
from server.services.work import Work

# A line is taken apart where it has its turn only: that costs ten times what finding its place does.
_PLACE = re.compile(r'"clinic": "([^"]*)", "position": (\d+),')
_RESTORED, _VERIFIED = '"restored"', '"verified"'


@dataclass(frozen=True, slots=True)
class Noted:
    """By the text of the clinic's id: the number of its last line, and up to where it was last verified."""

    newest: Mapping[str, int]
    checkpoints: Mapping[str, Anchor]


def look(file: Path) -> Noted:
    """Return the newest ends and checkpoints; raises `Problem` for a checkpoint that can't be read.

    A checkpoint from before a backup was put back is none any more.
    """
    newest: dict[str, int] = {}
    checkpoints: dict[str, Anchor] = {}
    for number, line in anchor_file.numbered(file):
        place = _PLACE.search(line)
        if place is None:
            continue
        newest[place[1]] = number
        if _RESTORED in line:
            checkpoints.pop(place[1], None)
        elif _VERIFIED in line:
            read = anchor_file.read(file, number, line)
            # An end of ours to which somebody has put an empty mark is an end.
            checkpoints |= {} if read.verified is None else {place[1]: read}
    return Noted(newest, checkpoints)


def is_due(noted: Noted, pace: Pace, now: datetime, number: int, line: str) -> bool:
    """Say whether a line is to be held against its chain today; what is no line of ours is, to be told."""
    place = _PLACE.search(line)
    checkpoint = noted.checkpoints.get(place[1]) if place else None
    if place is None or checkpoint is None or _RESTORED in line:
        return True
    is_new = number == noted.newest.get(place[1]) or int(place[2]) > checkpoint.position
    return is_new or turn_of(pace, checkpoint.at, now).has(number // pace.block)


def compared(
    database: Database, now: datetime, batches: Iterable[tuple[UUID, Sequence[Anchor]]]
) -> dict[UUID, Compared]:
    """Hold noted ends, some of one clinic at a time, against the chains; return what they say of each."""
    so_far: dict[UUID, Compared] = {}
    for clinic_id, anchors in batches:
        with Chain(database, now, clinic_id).work() as work:
            so_far[clinic_id] = _compared(work, anchors, so_far.get(clinic_id, Compared()))
    return so_far


def _compared(work: Work, anchors: Sequence[Anchor], said: Compared) -> Compared:
    try:
        return anchor.compare(work, anchors, said)
    except SealError:
        return replace(said, found=said.found or Found(Fault.UNPROVEN, anchors[0].position))
