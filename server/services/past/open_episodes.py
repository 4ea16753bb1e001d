"""The open episodes of a patient: which of them the judgement of a later day can't support or disprove."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.clinical.vocabulary import AlertFamily
from server.models import Alert, Patient
from server.services.watch import assessment as assessments
from server.services.work import Work


@dataclass(slots=True)
class OpenEpisodes:
    """What is open, as it was weighed last; None while nobody has looked since something was raised."""

    known: Sequence[Alert] | None = None

    def touched(self) -> None:
        """Note that something may have been raised."""
        self.known = None

    def are_settled(self, day: date) -> bool:
        """Return whether an entry of ``day`` says nothing new of any of them."""
        return self.known is not None and all(_is_settled(episode, day) for episode in self.known)

    def weigh(self, work: Work, patient: Patient) -> None:
        """Say on each whether the data still support it. All that was judged is written."""
        self.known = assessments.weigh_episodes(work, patient)


def _is_settled(episode: Alert, day: date) -> bool:
    if episode.family is AlertFamily.SILENCE:
        return "since" not in episode.evidence or bool(episode.evidence.get("disproved"))
    return day > episode.day  # it rests on days up to its own
