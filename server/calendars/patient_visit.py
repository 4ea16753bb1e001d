"""The patient's own appointment as a file for their calendar: that it is a visit, when, and nothing else."""

from icalendar import Event

from server.calendars.parts import calendar, put_times, put_zones, uid_of, utc, written
from server.calendars.words import words
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Language


def patient_visit(proposed: Proposed, language: Language) -> bytes:
    """Return the file of a booked visit; ValueError where it has no time.

    A file is no way to tell of a change: the patient takes a new one, which has the same name (UID).
    """
    if proposed.starts_at is None:
        raise ValueError("a visit without a time is no appointment")
    made, visit = calendar(None), Event()
    visit.add("uid", uid_of(proposed.id))
    visit.add("sequence", proposed.version)
    visit.add("dtstamp", utc(proposed.changed_at))
    visit.add("summary", words(language).visit)
    visit.add("status", "CONFIRMED")
    put_times(visit, proposed)
    made.add_component(visit)
    put_zones(made)
    return written(made)
