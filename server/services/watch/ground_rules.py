"""What holds at a clinic: the hour its patients' days start at, and its policy.

Nearly everything asks for it, so it is read in one go and stays one and the same all through a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import bindparam, select

from server.clinical.policy import Policy, policy_from
from server.models import Clinic, PolicyVersion
from server.services.work import Work

CURRENT = (PolicyVersion.clinic_id == Clinic.id) & (PolicyVersion.version == Clinic.policy_version)
_QUERY = (
    select(Clinic.day_start, PolicyVersion.version, PolicyVersion.values)
    .join(PolicyVersion, CURRENT)
    .where(Clinic.id == bindparam("clinic"))
)


@dataclass(frozen=True, slots=True)
class GroundRules:
    """``day_start``: the hour (0-6) at which patients' days start."""

    day_start: int
    policy: Policy


def of(work: Work) -> GroundRules:
    """Return what holds at the actor's clinic in this transaction."""
    known: dict[object, GroundRules] = work.session.info.setdefault("ground_rules", {})
    if work.clinic_id not in known:
        known[work.clinic_id] = _read(work)
    return known[work.clinic_id]


def keep(work: Work, day_start: int, version: int, values: Mapping[str, float]) -> None:
    """Let what was read along with something else hold in this transaction, unless something does."""
    known: dict[object, GroundRules] = work.session.info.setdefault("ground_rules", {})
    if work.clinic_id not in known:
        known[work.clinic_id] = GroundRules(day_start, _policy(version, tuple(sorted(values.items()))))


def forget(work: Work) -> None:
    """Let it be read anew: it was changed in this transaction."""
    work.session.info.pop("ground_rules", None)


def _read(work: Work) -> GroundRules:
    ((day_start, version, values),) = work.rows(_QUERY)
    return GroundRules(day_start, _policy(version, tuple(sorted(values.items()))))


@lru_cache(maxsize=1024)
def _policy(version: int, overrides: tuple[tuple[str, float], ...]) -> Policy:
    # Laying the overrides over a hundred checked defaults once per version is enough: it never changes.
    return policy_from(version, dict(overrides))
