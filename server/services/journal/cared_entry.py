"""An entry that a caregiver makes: marked, safe to send twice, and never over what is there."""

from uuid import UUID

from server.clinical.vocabulary import CareScope
from server.services.errors import Conflict, VersionError
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from server.services.journal.journal import Receipt
from server.services.people import caregiver as caregivers
from server.services.work import Work


def make(work: Work, patient_id: UUID, incoming: Incoming) -> Receipt:
    """Store an entry for the patient and judge its day. Red flags are acted on, also of what is refused.

    Raises Conflict where there is another one of that id, without showing it, and as `acting` does.
    """
    caregivers.note(work, patient_id, CareScope.LOG)
    try:
        return entries.put(work, patient_id, incoming)
    except VersionError as refusal:
        known = Conflict("entry-known", "There is an entry of this id already. It was not changed.")
        known.heeded = refusal.heeded
        raise known from None
