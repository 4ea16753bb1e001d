"""Alert episodes: opened by a finding, joined by repeats, raised by worsening, weighed again by late data."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from uuid_utils.compat import uuid7

from server.clinical.lifecycle import ALERT_MOVES, AlertAction, move
from server.clinical.mania import ActivationRule
from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import ARM_OF, AlertClass, AlertFamily, AlertState, Outcome, WatchState
from server.models import UNRESOLVED, Alert, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import alert as alerts
from server.services.alerts import alert_handling
from server.services.alerts import closed_episode as closed_episodes
from server.services.alerts.alert_source import REPORTED, is_of_other, sources_of, taken_back_before
from server.services.alerts.closed_episode import LOCKOUT
from server.services.alerts.red_flag import RED_FLAGS as RED_FLAGS
from server.services.alerts.red_flag import is_new
from server.services.asking import of_patient
from server.services.messages import delivery as deliveries
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.work import Work

REPORTS_KEPT = 50
_UNRESOLVED = (
    select(Alert)
    .where(
        *of_patient(Alert),
        Alert.family.in_(bindparam("families", expanding=True)),
        UNRESOLVED,
    )
    .order_by(Alert.family)  # everybody locks them in one order
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the care team must hear of. `codes` name what was found; `summary` is for clinicians."""

    family: AlertFamily
    urgency: AlertClass
    day: date
    codes: tuple[str, ...]
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def findings_of(flags: Sequence[RedFlag], day: date, *entry_ids: UUID) -> Iterable[Finding]:
    """Return one finding per family for the red flags of one entry (none: it could not even be read)."""
    for family in dict.fromkeys(flag.family for flag in flags):
        mine = [flag for flag in flags if flag.family is family]
        codes = tuple(flag.code for flag in mine)
        yield Finding(
            family=family,
            urgency=min(flag.urgency for flag in mine),
            day=day,
            codes=codes,
            summary=f"The patient reported {', '.join(code.replace('_', ' ') for code in codes)}.",
            evidence={
                "entries": [str(entry_id) for entry_id in entry_ids],
                "flags": [{"code": f.code, "urgency": f.urgency} for f in mine],
            },
        )


def raise_alert(work: Work, patient: Patient, finding: Finding) -> Alert | None:
    """Open an episode, or join the open one.

    What is worse than the open episode always gets through: it is open again and everybody is told
    anew. Worse is a more urgent finding; another red flag of the same urgency; any red flag that had
    cleared for a while; a relapse after what was only fading; and one that came back after the episode's
    own was long over. Any other repeat joins silently but stands in the evidence and changes the version,
    so nobody closes what they have not seen; late data may show that a trend began sooner. The same emergency
    (P0) in another answer is told to whoever has it in hand, and to nobody else.
    A trend (relapse, activation) within the lock-out after its episode was resolved opens nothing (None),
    and so does anything but a red flag where the patient does not let the care team read the diary.
    """
    if patient.team_withdrawn_at is not None and not _is_red_flag(finding):
        return None
    current = open_episode(work, patient.id, finding.family)
    if current is None:
        return None if _locked_out(work, patient, finding) else _open(work, patient, finding)
    if _gets_through(current, finding) or _came_back(work, patient, current, finding):
        _worsen(work, current, finding)
    elif _is_graver(current, finding):
        # Who has been told and has not answered need not be told twice of the same patient.
        _worsen(work, current, finding, tell=current.state is AlertState.ACKNOWLEDGED)
    elif _is_news(work, patient, current, finding):
        _join(work, current, finding)
        if finding.urgency is AlertClass.P0:
            deliveries.tell_in_hand(work, current)
    return current


def open_episode(work: Work, patient_id: UUID, family: AlertFamily) -> Alert | None:
    """Return the patient's unresolved episode of ``family``, locked: a click and a finding take turns."""
    return next(iter(open_episodes(work, patient_id, (family,))), None)


def open_episodes(work: Work, patient_id: UUID, families: Collection[AlertFamily]) -> Sequence[Alert]:
    """Return the patient's unresolved episodes of ``families``, locked; one a family at most."""
    return vault.opened(work, work.objects(_UNRESOLVED, patient=patient_id, families=list(families)))


def weigh(work: Work, alert: Alert, supported: bool) -> None:
    """Say on an open episode whether the data as they are now still support it."""
    disproved = bool(alert.evidence.get("disproved"))
    if disproved is not supported:
        return
    vault.put(work, alert, "evidence", {**alert.evidence, "disproved": not supported})
    alert.version += 1
    alerts.log(work, alert, "supported" if supported else "disproved")


def _gets_through(current: Alert, finding: Finding) -> bool:
    if finding.family is AlertFamily.SILENCE and current.evidence.get("disproved"):
        return finding.urgency <= current.urgency  # it was over, and now it is another one
    if finding.urgency != current.urgency or not _is_red_flag(finding):
        return finding.urgency < current.urgency
    return any(is_new(code, current.codes) for code in finding.codes)


def _is_graver(current: Alert, finding: Finding) -> bool:
    """Say whether the benefit is gone where the open episode spoke of fading."""
    states = current.evidence.get("state"), finding.evidence.get("state")
    return states == (WatchState.FADING, WatchState.RELAPSED) and finding.day >= current.day


def _came_back(work: Work, patient: Patient, current: Alert, finding: Finding) -> bool:
    """Say whether it is another one than the open episode's: that was over, and nobody closed it.

    A relapse began after the last day the episode holds, so long that it was over, or after a session
    that answered it and longer than a closed one keeps quiet.
    """
    if _is_refuted(current, finding):
        return True
    if finding.family not in ARM_OF:
        return _is_reported_again(work, patient, current, finding)
    since = date.fromisoformat(finding.evidence.get("since") or finding.day.isoformat())
    policy, apart = policies.of_patient(work, patient), (finding.day - current.day).days
    if since <= current.day or apart <= policy["alert.lockout_days"]:
        return False
    if apart > policy["alert.over_days"]:
        return True
    return any(day <= finding.day for day in treatment_sessions.delivered_days(work, patient.id, current.day))


def _is_refuted(current: Alert, finding: Finding) -> bool:
    """Say whether nothing was left, or sure, of what somebody has taken on: then what was said is news."""
    doubted = is_of_other(current.evidence) and not is_of_other(finding.evidence)
    if current.state is not AlertState.ACKNOWLEDGED or not (doubted or current.evidence.get("disproved")):
        return False
    is_trend = finding.family in LOCKOUT and finding.day >= _first_day(current)
    return is_trend or _is_red_flag(finding)


def _is_reported_again(work: Work, patient: Patient, current: Alert, finding: Finding) -> bool:
    """Say whether a red flag that somebody has taken on had cleared, and comes back as urgent as it was."""
    if not _is_red_flag(finding) or current.state is not AlertState.ACKNOWLEDGED:
        return False
    quiet = policies.of_patient(work, patient)["alert.return_days"]
    return finding.urgency == current.urgency and (finding.day - current.day).days > quiet


def _is_red_flag(finding: Finding) -> bool:
    """Say whether it is a single answer. In the activation family both flags and trends meet."""
    return finding.family in RED_FLAGS or "flags" in finding.evidence


def _is_news(work: Work, patient: Patient, current: Alert, finding: Finding) -> bool:
    if finding.family in LOCKOUT and not _is_red_flag(finding) and finding.day < _first_day(current):
        return _is_its_beginning(work, patient, current, finding)
    if not set(finding.codes) <= set(current.codes) or finding.day > current.day:
        return True
    # The same answer with another note is none.
    return _is_red_flag(finding) and _is_another_answer(current, finding)


def _is_its_beginning(work: Work, patient: Patient, current: Alert, finding: Finding) -> bool:
    """Say whether what late data show of days before an open trend is how it began, and not another episode.

    That was over by then, or closed by somebody who knew it.
    """
    if (_first_day(current) - finding.day).days > policies.of_patient(work, patient)["alert.over_days"]:
        return False
    last = closed_episodes.last(work, patient, finding.family, finding.urgency)
    return last is None or last.day < finding.day


def _is_another_answer(current: Alert, finding: Finding) -> bool:
    """Say whether a red flag stands in an answer unknown to the episode; one that is not stored may be."""
    mine, stored = sources_of(finding.evidence), finding.evidence.get("stored", True)
    return not (stored and mine and mine <= sources_of(current.evidence))


def _locked_out(work: Work, patient: Patient, finding: Finding) -> bool:
    """Say whether one like it was resolved only a few of the patient's days ago, or after the finding's."""
    if finding.family not in LOCKOUT or _is_red_flag(finding):
        return False
    last = closed_episodes.last(work, patient, finding.family, finding.urgency)
    if last is None:
        return False
    # Who closed the episode after that day knew it: late data must not ring the same bell again.
    if last.day > finding.day:
        return True
    if ActivationRule.H1 in finding.codes and not closed_episodes.told_of_asrm(work, last, finding.day):
        return False
    quiet = policies.of_patient(work, patient).whole(LOCKOUT[finding.family])
    is_recent = (local_days.of(work, work.now, patient.zone) - last.day).days < quiet
    return is_recent and not _went_on(work, last.alert, finding)


def _went_on(work: Work, closed: Alert, finding: Finding) -> bool:
    """Say whether the benefit is gone where an episode spoke of fading, and nobody called that none."""
    seen_to = closed.outcome not in (Outcome.FALSE_ALARM, Outcome.NO_ACTION_NEEDED)
    return seen_to and _is_graver(vault.opened(work, [closed])[0], finding)


def _open(work: Work, patient: Patient, finding: Finding) -> Alert:
    alert = Alert(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient.id,
        family=finding.family,
        urgency=finding.urgency,
        state=AlertState.OPEN,
        level=0,
        day=finding.day,
        opened_at=work.now,
        worsened_at=work.now,
        waiting_since=work.now,
        snoozed=False,
        version=1,
    )
    vault.put(work, alert, "codes", sorted(finding.codes))
    vault.put(work, alert, "summary", finding.summary)
    vault.put(work, alert, "evidence", {**finding.evidence, "first_day": finding.day.isoformat()})
    work.session.add(alert)
    alerts.log(work, alert, "opened", {"urgency": finding.urgency, "told": deliveries.enqueue(work, alert)})
    work.audit("alert.open", patient.id, alert.id)
    return alert


def _join(work: Work, alert: Alert, finding: Finding) -> None:
    first = _first_day(alert)
    report = {"day": finding.day.isoformat(), "codes": list(finding.codes)}
    report |= {key: finding.evidence[key] for key in REPORTED if key in finding.evidence}
    # Of activation an answer may have opened it, and this is what stands around it.
    if finding.family is AlertFamily.ACTIVATION or finding.day < first:
        report["text"] = finding.summary
    reports = [*alert.evidence.get("reports", ()), report][-REPORTS_KEPT:]
    _extend(work, alert, finding)
    begun = min(first, finding.day).isoformat()
    evidence = {**alert.evidence, "reports": reports, "first_day": begun}
    evidence |= taken_back_before(alert.evidence, finding.evidence)
    vault.put(work, alert, "evidence", evidence)
    alert.version += 1
    alerts.log(work, alert, "repeated", report)
    if _is_red_flag(finding):
        weigh(work, alert, supported=True)


def _worsen(work: Work, alert: Alert, finding: Finding, tell: bool = True) -> None:
    alert.state = move(ALERT_MOVES, alert.state, AlertAction.WORSEN)
    alert.urgency = min(alert.urgency, finding.urgency)
    if tell:
        alert.level, alert.worsened_at, alert.waiting_since = 0, work.now, work.now
    alert.exhausted_at = None
    _extend(work, alert, finding)
    vault.put(work, alert, "summary", finding.summary)
    earlier = {key: value for key, value in alert.evidence.items() if key != "earlier"}
    kept = [*alert.evidence.get("earlier", ()), earlier][-REPORTS_KEPT:]
    first = min(_first_day(alert), finding.day)
    evidence = {**finding.evidence, "earlier": kept, "first_day": first.isoformat()}
    evidence |= taken_back_before(alert.evidence, finding.evidence)
    vault.put(work, alert, "evidence", evidence)
    alert_handling.let_go(alert)
    alert.version += 1
    told = deliveries.enqueue(work, alert) if tell else 0
    alerts.log(work, alert, "worsened", {"urgency": alert.urgency, "told": told})


def _extend(work: Work, alert: Alert, finding: Finding) -> None:
    vault.put(work, alert, "codes", sorted({*alert.codes, *finding.codes}))
    alert.day = max(alert.day, finding.day)


def _first_day(alert: Alert) -> date:
    return date.fromisoformat(alert.evidence.get("first_day", alert.day.isoformat()))
