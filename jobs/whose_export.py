"""Whether an export is of the patient whose diary it goes into: a wrong id would mix two people's records."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from uuid import UUID

from jobs.import_export import ExportPlan
from jobs.problem import Problem
from server.clinical.vocabulary import Source
from server.database import Database
from server.services.past import other_diary
from server.services.people import patient as patients
from server.services.work import Work


def check(database: Database, plan: ExportPlan) -> None:
    """Raise Problem where the file is of somebody of another name or year of birth, or from another diary."""
    with database.read() as session:
        work = Work(session, plan.now, plan.actor)
        if not _is_named_alike(work, plan):
            raise Problem(f"The export is of somebody of another name or year of birth than {_told(plan)}")
        if _is_in_another_diary(work, plan):
            raise Problem(f"The export is of another diary of this clinic than that of {_told(plan)}")


def _told(plan: ExportPlan) -> str:
    return f"patient {plan.patient_id}. Nothing was changed. Are they one person? Then say --same-person."


def _is_named_alike(work: Work, plan: ExportPlan) -> bool:
    """Return whether nothing speaks against it; a file or a record without a year of birth says nothing."""
    if plan.file.owner is None:
        return True
    patient = patients.get(work, plan.patient_id)
    years = {plan.file.owner.birth_year, patient.birth_year} - {None}
    return _folded(plan.file.owner.name) == _folded(patient.name) and len(years) < 2


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _is_in_another_diary(work: Work, plan: ExportPlan) -> bool:
    """Return whether what the file holds was reported by another patient of the clinic."""
    whose = work, plan.patient_id
    return (
        other_diary.holds_entry(*whose, _ids(plan, False))
        or other_diary.holds_response(*whose, _ids(plan, True))
        or other_diary.says_the_same(*whose, dict(islice(_brought(plan), other_diary.SAMPLE)))
    )


def _ids(plan: ExportPlan, is_response: bool) -> Sequence[UUID]:
    """Return the ids of the file's entries, or of its filled scales, which nobody else's have."""
    own = (one for one in plan.file.revisions if one.source is not Source.IMPORT)
    found = (one.entry_id for one in own if one.is_response is is_response)
    return list(dict.fromkeys(found))


def _brought(plan: ExportPlan) -> Iterator[tuple[UUID, Mapping[str, float]]]:
    """Yield what was brought from elsewhere, as it stands: its ids say the moment, so people share some."""
    brought = (one for one in plan.file.revisions if one.source is Source.IMPORT and not one.is_response)
    last = {one.entry_id: one.said for one in sorted(brought, key=lambda one: one.version)}
    return ((key, said["items"]) for key, said in last.items() if said and said["items"])
