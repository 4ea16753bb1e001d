"""The alert that a benefit seems to be going: raised with what else was reported, a visit drafted."""

from datetime import date

from server.clinical.vocabulary import Arm
from server.models import Patient
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.visits import suggestion_draft as suggestion_drafts
from server.services.watch import confounder as confounders
from server.services.work import Work


def raise_for(work: Work, patient: Patient, arm: Arm, finding: Finding, since: date) -> None:
    """Open or join the episode of ``arm``; ``since``: when what was found began."""
    alert = episodes.raise_alert(work, patient, confounders.beside(work, patient, finding, since))
    if alert is not None:
        suggestion_drafts.suggest_after_alert(work, patient, alert, arm)
