"""Whether what a file holds was reported by somebody else: a wrong id would mix two people's records."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from server.models import Entry, Patient, QuestionnaireResponse
from server.models.entry import IMPORTED
from server.services.work import Work

# So many rows of a file are held against other diaries.
SAMPLE = 50
# Fewer days may be alike by chance.
_ALIKE = 5
# So many are looked at first.
_LOOKS = 5
# So many ids are looked for, from all over the file: one that is found is enough.
_IDS = 10


def holds_entry(work: Work, patient_id: UUID, ids: Sequence[UUID]) -> bool:
    """Return whether an entry of ``ids``, of which ten are looked for, is another patient's of the clinic."""
    return _holds(work, Entry, patient_id, ids)


def holds_response(work: Work, patient_id: UUID, ids: Sequence[UUID]) -> bool:
    """Return whether a filled scale of ``ids``, of which ten are looked for, is another patient's."""
    return _holds(work, QuestionnaireResponse, patient_id, ids)


def says_the_same(work: Work, patient_id: UUID, items: Mapping[UUID, Mapping[str, float]]) -> bool:
    """Return whether another patient of the clinic said the same ``items``, by the id of an imported entry.

    Such an id is made of its moment: two people share some. They do not share what they said in five of
    them, or more, without an exception; only who always says one thing is like others who do.
    """
    if len(items) < _ALIKE:
        return False
    theirs = *_imported(work), Entry.patient_id.in_(_alike(work, patient_id, items))
    alike = defaultdict(list)
    for row in work.session.execute(
        select(Entry.patient_id, Entry.id, Entry.items).where(*theirs, Entry.id.in_(list(items)))
    ):
        alike[row.patient_id].append((row.items, items[row.id]))
    return any(_is_one_diary(found) for found in alike.values())


def _alike(work: Work, patient_id: UUID, items: Mapping[UUID, Mapping[str, float]]) -> list[UUID]:
    """Return who else said the same in most of a few of ``items``.

    Diaries without times of day share every moment: all that is the same at each is left to the database,
    or each file would bring along what all patients said.
    """
    some = _spread(list(items), _LOOKS)
    same = (
        and_(Entry.id == one, *(Entry.items[key].as_float() == said for key, said in items[one].items()))
        for one in some
    )
    query = select(Entry.patient_id).where(
        *_imported(work), Entry.patient_id != patient_id, Entry.id.in_(some), or_(*same)
    )
    # Counted here: the database would go through all entries in the order of their patients.
    times = Counter(work.session.scalars(query))
    return [one for one, number in times.items() if number > _LOOKS // 2]


def _spread(ids: Sequence[UUID], most: int) -> Sequence[UUID]:
    return ids[:: max(1, len(ids) // most)][:most]


def _imported(work: Work) -> tuple[ColumnElement[bool], ...]:
    # Said as the index says it, which finds an id without the patient.
    return (
        Entry.clinic_id == work.clinic_id,
        cast("ColumnElement[bool]", IMPORTED),
        Entry.deleted_at.is_(None),
    )


def _is_one_diary(found: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]) -> bool:
    """Return whether what two diaries, theirs and ours, say at the same moments makes them one."""
    is_alike = len(found) >= _ALIKE and all(theirs == ours for theirs, ours in found)
    return is_alike and any(ours != found[0][1] for _, ours in found)


def _holds(
    work: Work, row: type[Entry | QuestionnaireResponse], patient_id: UUID, ids: Sequence[UUID]
) -> bool:
    """Return whether another patient has one of ``ids``, by the key of each: no index finds an id alone.

    A subquery that gives one value is asked of every patient. What joins may read all entries of the clinic.
    """
    theirs = row.clinic_id == Patient.clinic_id, row.patient_id == Patient.id, row.id.in_(_spread(ids, _IDS))
    found = select(row.id).where(*theirs).limit(1).scalar_subquery()
    others = Patient.clinic_id == work.clinic_id, Patient.id != patient_id, found.is_not(None)
    return work.session.scalars(select(Patient.id).where(*others).limit(1)).first() is not None
