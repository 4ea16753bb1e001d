"""Whether a filled scale may be stored under its id: whose it is, which version it follows, when it was."""

from server.clinical.instruments.instrument import Instrument, Respondent
from server.clinical.vocabulary import Source
from server.models import QuestionnaireResponse
from server.services.errors import Conflict, Invalid
from server.services.journal.incoming import Incoming, check_moment, check_version
from server.services.scales import scale as scales
from server.services.work import Work


def admit(work: Work, stored: QuestionnaireResponse | None, incoming: Incoming) -> None:
    """Raise Invalid, Conflict, VersionRequired or Stale where it may not. ``stored``: what is there."""
    if stored is None or stored.occurred_at != incoming.content["occurred_at"]:
        check_moment(work, incoming)  # what was taken in time may be corrected for ever
    if stored is not None:
        # Before the version is asked for: who is told what is stored there must be whose it is.
        if (stored.source is Source.CLINIC) != (incoming.source is Source.CLINIC):
            raise not_yours()
        check_version(stored, incoming.base_version)
        scales.check_readers(stored.instrument, incoming.content["instrument"])
        if stored.source is Source.CLINIC and stored.deleted_at is not None:
            # It may be somebody else's, and the patient would read its versions again.
            raise Conflict("taken-back", "It was taken back. Store this one under a new id.")


def check_respondent(made: Instrument, source: Source) -> None:
    """Raise Invalid for a scale that clinicians rate where it comes from anybody else."""
    if made.respondent is Respondent.CLINICIAN and source is not Source.CLINIC:
        raise Invalid("/instrument", "Is rated by a clinician.")


def not_yours() -> Conflict:
    """Patients do not change what the clinic rated, nor the clinic what patients said."""
    return Conflict("other-author", "Somebody else filled this one. Send your own under a new id.")
