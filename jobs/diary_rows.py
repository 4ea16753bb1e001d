"""Which entry a row of a diary is: one that was brought before, or a new one.

Source, moment, kind of reading and a number name an entry: a longer file brings the same entries under the
same ids, and two diaries never share one. Rows that share all but the number are told apart by what they
say, for their order moves: where the newest stands on top, or a row could not be taken the last time. Where
no map names a zone, a row keeps the one in which it was brought before.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from jobs.past import dated_id
from server.clinical.vocabulary import Source
from server.diary_import.mapping import Row
from server.services.errors import NotFound
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming, canonical, plain
from server.services.work import Work

# No two clocks are further apart.
ELSEWHERE = timedelta(days=2)
# Every version that an entry had, each as one text.
Versions = frozenset[str]


@dataclass(frozen=True, slots=True)
class Diary:
    """Rows of one patient, and the name of the diary that they come from.

    ``goes_along``: its times are of the zone where the patient is, and no map says which that was.
    """

    patient_id: UUID
    source: str
    rows: Sequence[Row]
    goes_along: bool = False

    def id(self, row: Row, number: int, there: Collection[UUID]) -> UUID:
        """Return the id of the entry with this ``number`` among those that ``row`` could be.

        It says nothing of the patient, whose key it is part of: what an export took to another clinic is
        known there. What came in while it did is among those ``there``.
        """
        name = self.source, row.kind, number
        if there and (before := dated_id(row.at, "import", self.patient_id, *name)) in there:
            return before
        return dated_id(row.at, "import", *name)


def entries_of(work: Work, diary: Diary) -> Iterator[tuple[Row, Incoming]]:
    """Yield every row with the entry that it is."""
    first = min((row.at.astimezone(UTC) for row in diary.rows), default=None)
    there = () if first is None else frozenset(entries.ids_since(work, diary.patient_id, first - ELSEWHERE))
    zones = entries.zones(work, diary.patient_id, Source.IMPORT) if diary.goes_along else ()
    # Two times of a clock may be one moment: in spring one of them does not exist.
    alike: dict[tuple[datetime, str], list[Row]] = defaultdict(list)
    for row in (_as_it_came(diary, row, there, zones) for row in diary.rows):
        alike[row.at.astimezone(UTC), row.kind].append(row)
    for rows in alike.values():
        numbers = [1] if len(rows) == 1 else _numbers(rows, _stored(work, diary, rows[0], there))
        for row, number in zip(rows, numbers, strict=True):
            yield row, Incoming(diary.id(row, number, there), row.content, None, Source.IMPORT)


def _as_it_came(diary: Diary, row: Row, there: Collection[UUID], zones: Sequence[str]) -> Row:
    """Return ``row`` in the zone in which it was brought before; as it is where it never was."""
    if not zones:
        return row
    in_zones = (row, *(_in_zone(row, zone) for zone in zones))
    return next((one for one in in_zones if diary.id(one, 1, there) in there), row)


def _in_zone(row: Row, zone: str) -> Row:
    at = row.at.replace(tzinfo=ZoneInfo(zone))
    return replace(row, at=at, content={**row.content, "occurred_at": at, "zone": zone})


def _stored(work: Work, diary: Diary, row: Row, there: Collection[UUID]) -> dict[int, Versions]:
    """Return, by their number, the entries that ``row`` could be."""
    found: dict[int, Versions] = {}
    for number in count(1):
        try:
            versions = entries.revisions(work, diary.patient_id, diary.id(row, number, there))
        except NotFound:
            break
        found[number] = frozenset(canonical(one.content) for one in versions if one.content is not None)
    return found


def _numbers(rows: Sequence[Row], stored: dict[int, Versions]) -> list[int]:
    """Return a number for each row: of what says the same, else of what is left over, else a new one."""
    new = count(len(stored) + 1)
    known = [_taken(stored, canonical(plain(row.content))) for row in rows]
    left = iter(sorted(stored))
    return [number or next(left, None) or next(new) for number in known]


def _taken(stored: dict[int, Versions], said: str) -> int | None:
    """Take out of ``stored`` the first entry that has said the same, and return its number."""
    found = next((number for number, versions in stored.items() if said in versions), None)
    if found is not None:
        del stored[found]
    return found
