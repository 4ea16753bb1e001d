"""Replays of draft policies as the clinic sees them: ask for one, look at it, cancel it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from uuid_utils.compat import uuid7

from server.clinical.lifecycle import REPLAY_MOVES, ReplayAction, move
from server.clinical.vocabulary import ReplayState
from server.models import PolicyReplay, PolicyReplayPatient
from server.services import vault
from server.services.civil_time import civil_day
from server.services.errors import Invalid, NotFound
from server.services.journal import past as pasts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.watch import policy as policies
from server.services.work import Work

USUAL_DAYS, LONGEST_DAYS = 180, 731


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which draft on which days. Exactly one of ``values`` and ``version``; days None: the last 180."""

    values: Mapping[str, float] | None
    version: int | None
    first: date | None
    last: date | None


def create(work: Work, wanted: Wanted) -> PolicyReplay:
    """Queue a replay of a draft over the clinic's past, compared with the policy in force now.

    Raises Invalid, AllInvalid naming every value that can't be taken, NotFound for the version, and
    Conflict where some patients' own values contradict the draft.
    """
    values = _values(work, wanted)
    policies.check_patients(work, policies.checked(1, values))
    first, last = _days(work, wanted)
    row = PolicyReplay(
        clinic_id=work.clinic_id,
        id=uuid7(),
        state=ReplayState.QUEUED,
        draft_version=wanted.version,
        base_version=clinics.get(work).policy_version,
        values=dict(values),
        first=first,
        last=last,
        done=0,
        total=pasts.how_many(work),
        attempt=0,
        tries=0,
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    work.session.add(row)
    work.session.flush()
    work.audit("policy-replay.create", object_id=row.id)
    return row


def get(work: Work, replay_id: UUID) -> PolicyReplay:
    """Return one replay with its result opened. Audited. Raises NotFound."""
    row = _row(work, replay_id)
    work.audit("policy-replay.read", object_id=replay_id)
    return vault.opened(work, [row])[0]


def page(work: Work, before: UUID | None, size: int) -> Sequence[PolicyReplay]:
    """Return up to ``size`` replays, newest first, that were asked for before ``before``."""
    query = select(PolicyReplay).where(PolicyReplay.clinic_id == work.clinic_id)
    if before is not None:
        query = query.where(PolicyReplay.id < before)
    found = work.session.scalars(query.order_by(PolicyReplay.id.desc()).limit(size)).all()
    return vault.opened(work, found)


def differences(work: Work, replay_id: UUID, after: UUID | None, size: int) -> Sequence[PolicyReplayPatient]:
    """Return up to ``size`` patients who would have been alarmed on other days, in id order. Audited.

    Whoever does not let the care team read their diary, or is about to be erased, is left out.
    """
    _row(work, replay_id)
    query = select(PolicyReplayPatient).where(
        PolicyReplayPatient.clinic_id == work.clinic_id,
        PolicyReplayPatient.replay_id == replay_id,
        PolicyReplayPatient.differs,
        PolicyReplayPatient.patient_id.not_in(patients.withdrawn(work)),
        patients.is_here(PolicyReplayPatient),
    )
    if after is not None:
        query = query.where(PolicyReplayPatient.patient_id > after)
    found = work.session.scalars(query.order_by(PolicyReplayPatient.patient_id).limit(size)).all()
    for row in found:
        work.audit("policy-replay.differences", row.patient_id, replay_id)
    return vault.opened(work, found)


def cancel(work: Work, replay_id: UUID) -> None:
    """End a replay that waits or runs; what it found so far is thrown away. Again is harmless.

    Raises NotFound, and IllegalMove where it has ended.
    """
    row = _row(work, replay_id, lock=True)
    after = move(REPLAY_MOVES, row.state, ReplayAction.CANCEL)
    if row.state is after:
        return
    row.state, row.finished_at, row.lease_until = after, work.now, None
    work.session.execute(
        delete(PolicyReplayPatient).where(
            PolicyReplayPatient.clinic_id == work.clinic_id, PolicyReplayPatient.replay_id == replay_id
        )
    )
    work.audit("policy-replay.cancel", object_id=replay_id)


def newest_of(work: Work, version: int) -> UUID | None:
    """Return the newest replay of a version that was not cancelled."""
    query = select(PolicyReplay.id).where(
        PolicyReplay.clinic_id == work.clinic_id,
        PolicyReplay.draft_version == version,
        PolicyReplay.state != ReplayState.CANCELLED,
    )
    return work.session.scalar(query.order_by(PolicyReplay.id.desc()).limit(1))


def _values(work: Work, wanted: Wanted) -> Mapping[str, float]:
    if (wanted.values is None) == (wanted.version is None):
        raise Invalid("/values", "Send either values or the version of a draft.")
    if wanted.version is None:
        return wanted.values or {}
    return policies.get(work, wanted.version).row.values


def _days(work: Work, wanted: Wanted) -> tuple[date, date]:
    clinic = clinics.get(work)
    today = civil_day(work.now, clinic.zone, clinic.day_start)
    last = wanted.last or today - timedelta(days=1)
    first = wanted.first or last - timedelta(days=USUAL_DAYS - 1)
    if last > today:
        raise Invalid("/last", "Lies in the future.")
    if first > last:
        raise Invalid("/first", "Lies after the last day.")
    if (last - first).days >= LONGEST_DAYS:
        raise Invalid("/first", f"Ask for {LONGEST_DAYS} days at the most.")
    return first, last


def _row(work: Work, replay_id: UUID, lock: bool = False) -> PolicyReplay:
    key = (work.clinic_id, replay_id)
    row = work.session.get(PolicyReplay, key, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise NotFound("policy replay")
    return row
