"""Whether a diary is of the patient it goes into: a wrong id would mix two people's records, for good."""

from itertools import islice

from jobs.import_diary import Plan, read_entries
from jobs.problem import Problem
from server.database import Database
from server.services.past import other_diary
from server.services.work import Work


def check(database: Database, plan: Plan) -> None:
    """Raise Problem where what the file says stands in the diary of another patient of the clinic."""
    said = (one for one in read_entries(database, plan).values() if one.content["items"])
    items = {one.id: one.content["items"] for one in islice(said, other_diary.SAMPLE)}
    with database.read() as session:
        found = other_diary.says_the_same(Work(session, plan.now, plan.actor), plan.patient_id, items)
    if found:
        raise Problem(
            f"The diary says what stands in that of another patient of this clinic than {plan.patient_id}. "
            "Nothing was changed. Are they one person? Then say --same-person."
        )
