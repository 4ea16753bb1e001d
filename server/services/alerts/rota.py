"""The rota: when the clinic is at work, who hears of an alert, and whether anybody can be reached at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from server.clinical.coverage import Gap, GapReason, coverage
from server.clinical.rota import ACCOUNT, WorkingHours
from server.models import Account, Patient, Rota
from server.services.alerts import shift as shifts
from server.services.errors import AllInvalid, Conflict, Stale
from server.services.messages import recipients
from server.services.messages.recipients import TEAM
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work

# How far ahead somebody must be there before monitoring can be armed.
ARMING_DAYS = 14
_MOST_SHOWN = 20
_WHY: Mapping[GapReason, str] = {
    GapReason.NOBODY_REACHABLE: "nobody who would be told can be reached",
    GapReason.NOBODY_ON_CALL: "nobody is on call",
    GapReason.ON_CALL_UNREACHABLE: "who is on call can't be reached",
}


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody who is on call now, ``until`` when, and whether their account works."""

    account_id: UUID
    name: str | None
    until: datetime


def of(work: Work) -> Rota:
    """Return the rota of the actor's clinic."""
    return work.session.get(Rota, work.clinic_id) or clinics.first_rota(work)


def is_armed(work: Work) -> bool:
    """Return whether the clinic has armed its monitoring."""
    return of(work).armed_at is not None


def hours(work: Work) -> WorkingHours:
    """Return the working hours of the actor's clinic: one and the same all through a transaction."""
    known = work.session.info.setdefault("working_hours", {})
    if work.clinic_id not in known:
        known[work.clinic_id] = _read_hours(work)
    found: WorkingHours = known[work.clinic_id]
    return found


def change(work: Work, changes: Mapping[str, Any], version: int) -> Rota:
    """Replace hours, holidays, steps and fallback if ``version`` is current; else raises Stale.

    ``changes``: hours (a week of spans of times), holidays (day, name), steps (targets),
    fallback_account_id. Raises AllInvalid for accounts that are none of the clinic's working staff.
    """
    rota = _locked(work, version)
    _check_accounts(work, changes)
    rota.hours = [[[at.isoformat("minutes") for at in span] for span in spans] for spans in changes["hours"]]
    rota.holidays = [{"day": one["day"].isoformat(), "name": one["name"]} for one in changes["holidays"]]
    rota.steps = [list(step) for step in changes["steps"]]
    rota.fallback_account_id = changes["fallback_account_id"]
    return _changed(work, rota, "rota.change")


def told_at(work: Work, patient: Patient, level: int, now: datetime) -> list[Account]:
    """Return who is to hear of ``patient`` at ``level`` (0 = first notice): nobody only where nobody is left.

    A first step that stands for nobody gives way to the next one, any step to the fallback, and
    that to every working account of the care team.
    """
    at = Work(work.session, now, work.actor)
    rota = of(at)
    last = len(rota.steps) - 1
    steps = rota.steps[:2] if level == 0 else [rota.steps[min(level, last)]]
    found = (recipients.of_step(at, step, patient) for step in steps)
    told = next((people for people in found if people), [])
    return told or recipients.of_id(at, rota.fallback_account_id) or accounts.recipients(at, set(TEAM))


def told_between(work: Work, patient: Patient, first: int, last: int) -> list[Account]:
    """Return who is to hear of ``patient`` now at any level from ``first`` to ``last``, each once."""
    rota = of(work)  # held, for a session forgets what nobody holds, and each level asks for it
    end = len(rota.steps) - 1
    levels = range(min(first, end), min(last, end) + 1)
    found = (account for level in levels for account in told_at(work, patient, level, work.now))
    return list({account.id: account for account in found}.values())


def beyond_steps(work: Work) -> tuple[list[Account], list[Account]]:
    """Return who hears where nobody of any step can be told: the fallback, and then it and the care team."""
    fallback, team = (
        recipients.of_id(work, of(work).fallback_account_id),
        accounts.recipients(work, set(TEAM)),
    )
    return fallback, list({one.id: one for one in (*fallback, *team)}.values())


def last_step(work: Work) -> int:
    """Return the level whose step is the last: later levels tell the same people again."""
    return len(of(work).steps) - 1


def on_call_now(work: Work) -> Sequence[OnCall]:
    """Return who is on call now, each once with the end of their longest shift."""
    until: dict[UUID, datetime] = {}
    for duty in shifts.duties_now(work):
        until[duty.account_id] = max(until.get(duty.account_id, duty.ends), duty.ends)
    names = accounts.names(work, accounts.working(work, until))
    return [OnCall(one, names[one], ends) for one, ends in until.items() if one in names]


def gaps(work: Work, days: int) -> Sequence[Gap]:
    """Return when in the next ``days`` nobody reachable would hear of a P0 or P1 at its first two levels."""
    return gaps_between(work, work.now, work.now + timedelta(days=days))


def open_gaps(work: Work) -> Sequence[Gap]:
    """Return the gaps that keep monitoring from being armed: those of the next 14 days that nobody closes."""
    return [gap for gap in gaps(work, ARMING_DAYS) if gap.is_open]


def gaps_between(work: Work, start: datetime, end: datetime) -> Sequence[Gap]:
    """Return the gaps from ``start`` until ``end`` (aware), by who can be reached as far as is known now."""
    return coverage(recipients.hearing(work, of(work), start, end), start, end)


def arm(work: Work) -> Rota:
    """Arm the clinic's monitoring; again is harmless.

    Raises Conflict (`coverage-gaps`) naming the gaps of the next 14 days that nobody would close.
    """
    rota = _locked(work)
    if rota.armed_at is not None:
        return rota
    if found := open_gaps(work):
        errors = [{"detail": _told(gap)} for gap in found[:_MOST_SHOWN]]
        raise Conflict("coverage-gaps", "Nobody would hear of an urgent alert for a while.", errors=errors)
    rota.armed_at, rota.armed_by = work.now, work.actor.account_id
    return _changed(work, rota, "rota.arm")


def disarm(work: Work) -> Rota:
    """Disarm the clinic's monitoring: its patients are told so. Again is harmless."""
    rota = _locked(work)
    if rota.armed_at is None:
        return rota
    rota.armed_at = rota.armed_by = None
    return _changed(work, rota, "rota.disarm")


def _told(gap: Gap) -> str:
    return f"From {gap.starts:%Y-%m-%dT%H:%MZ} until {gap.ends:%Y-%m-%dT%H:%MZ} {_WHY[gap.why]}."


def _read_hours(work: Work) -> WorkingHours:
    rota = of(work)
    week = tuple(
        tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in spans)
        for spans in rota.hours
    )
    days = frozenset(date.fromisoformat(one["day"]) for one in rota.holidays)
    return WorkingHours(clinics.get(work).zone, week, days)


def _locked(work: Work, version: int | None = None) -> Rota:
    clinics.lock(work)
    rota = of(work)
    work.session.add(rota)
    work.session.flush()
    work.session.refresh(rota)
    if version is not None and rota.version != version:
        raise Stale(rota)
    return rota


def _changed(work: Work, rota: Rota, action: str) -> Rota:
    rota.version += 1
    work.session.info.pop("working_hours", None)
    work.session.flush()
    work.audit(action, object_id=rota.clinic_id)
    return rota


def _check_accounts(work: Work, changes: Mapping[str, Any]) -> None:
    """Raise AllInvalid with a pointer to every account that is none of the clinic's working staff."""
    named = [
        (f"/steps/{number}/{place}", UUID(target.removeprefix(ACCOUNT)))
        for number, step in enumerate(changes["steps"])
        for place, target in enumerate(step)
        if target.startswith(ACCOUNT)
    ]
    if changes["fallback_account_id"] is not None:
        named.append(("/fallback_account_id", changes["fallback_account_id"]))
    good = accounts.colleagues(work, (account_id for _, account_id in named))
    wrong = [(pointer, accounts.NO_COLLEAGUE) for pointer, account_id in named if account_id not in good]
    if wrong:
        raise AllInvalid(wrong)
