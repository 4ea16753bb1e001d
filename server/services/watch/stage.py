"""Follow the stage of each arm: write its moves, and raise an alert where scales make a relapse probable."""

from collections.abc import Iterable
from datetime import date

from server.clinical import stage_evidence
from server.clinical.policy import Policy
from server.clinical.readings import arms_of
from server.clinical.stage_evidence import Support
from server.clinical.vocabulary import RELAPSE_OF, AlertClass, Arm, Stage
from server.models import Patient
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.foresight import Foresight
from server.services.scales import scale_request as scale_requests
from server.services.watch import material as materials
from server.services.watch import relapse_alert as relapse_alerts
from server.services.watch import watch_move as watch_moves
from server.services.watch.material import Material
from server.services.work import Work


def arms(material: Material) -> tuple[Arm, ...]:
    """Return the arms whose own items or scales are there."""
    found = {*arms_of(material.history), *material.scales}
    return tuple(arm for arm in Arm if arm in found)


def foresee(ahead: Foresight, each: Iterable[tuple[Patient, Material]]) -> None:
    """Ask at once for what `follow` is about to ask of the days of several patients, and of their arms."""
    found = ((patient.id, arm, (read.first, read.last)) for patient, read in each for arm in arms(read))
    watch_moves.foresee(ahead, found)


def follow(work: Work, patient: Patient, span: tuple[date, date], material: Material) -> None:
    """Follow the stage of each arm over ``span`` (both days included), judged days of ``material``."""
    for arm in arms(material):
        made = watch_moves.grounds(work, patient, arm, span, material)
        found = watch_moves.course(made)
        for alarm in found.alarms:
            resting = watch_moves.support(work, made, alarm.day, alarm.ground)
            finding = _finding(arm, resting, material.policy)
            relapse_alerts.raise_for(work, patient, arm, finding, alarm.day)
        moves_to_probable = any(move.after is Stage.PROBABLE for move in found.moves)
        current = episodes.open_episode(work, patient.id, RELAPSE_OF[arm]) if moves_to_probable else None
        watch_moves.write(work, made, found, None if current is None else current.id)
        scale_requests.ask_again(work, patient, made.facts, material.policy)


def is_alarmed(work: Work, patient: Patient, arm: Arm, span: tuple[date, date]) -> bool:
    """Return whether a scale makes the relapse probable on any day of ``span``."""
    made = watch_moves.grounds(work, patient, arm, span, materials.load(work, patient, *span))
    return bool(watch_moves.course(made).alarms)


def _finding(arm: Arm, resting: Support, policy: Policy) -> Finding:
    return Finding(
        family=RELAPSE_OF[arm],
        urgency=AlertClass.P2,
        day=resting.day,
        codes=stage_evidence.codes(resting),
        summary=stage_evidence.text(resting, Stage.PROBABLE, policy),
        evidence=dict(stage_evidence.evidence(resting, policy)),
    )
