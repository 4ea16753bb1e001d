"""What holds at a clinic: when its patients' days start, its language and policy, whether it is armed.

Nearly everything asks for it, so it is read in one go and stays one and the same all through a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, select

from server.clinical.policy import Policy, policy_from
from server.clinical.vocabulary import Language
from server.models import Clinic, PolicyVersion, Rota
from server.services.work import Work

CURRENT = (PolicyVersion.clinic_id == Clinic.id) & (PolicyVersion.version == Clinic.policy_version)
ROTA = Rota.clinic_id == Clinic.id  # a clinic has none before it has set one
HELD = (Clinic.day_start, Clinic.language, Rota.armed_at, PolicyVersion.version, PolicyVersion.values)
_QUERY = (
    select(*HELD).join(PolicyVersion, CURRENT).outerjoin(Rota, ROTA).where(Clinic.id == bindparam("clinic"))
)


Held = tuple[int, Language, datetime | None, int, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class GroundRules:
    """``day_start``: the hour (0-6) at which patients' days start. ``language``: the clinic's own.

    ``is_armed``: whether the clinic has armed its monitoring, and so promised that somebody reads.
    """

    day_start: int
    language: Language
    is_armed: bool
    policy: Policy


def of(work: Work) -> GroundRules:
    """Return what holds at the actor's clinic in this transaction."""
    known: dict[object, GroundRules] = work.session.info.setdefault("ground_rules", {})
    if work.clinic_id not in known:
        known[work.clinic_id] = _read(work)
    return known[work.clinic_id]


def keep(work: Work, held: Held) -> None:
    """Let what was read along with something else (`HELD`) hold in this transaction, if nothing does yet."""
    known: dict[object, GroundRules] = work.session.info.setdefault("ground_rules", {})
    if work.clinic_id not in known:
        known[work.clinic_id] = _made(held)


def forget(work: Work) -> None:
    """Let it be read anew: it was changed in this transaction."""
    work.session.info.pop("ground_rules", None)


def _read(work: Work) -> GroundRules:
    (held,) = work.rows(_QUERY)
    return _made(held)


def _made(held: Held) -> GroundRules:
    day_start, language, armed_at, version, values = held
    return GroundRules(
        day_start, language, armed_at is not None, _policy(version, tuple(sorted(values.items())))
    )


@lru_cache(maxsize=1024)
def _policy(version: int, overrides: tuple[tuple[str, float], ...]) -> Policy:
    # Laying the overrides over a hundred checked defaults once per version is enough: it never changes.
    return policy_from(version, dict(overrides), kept=True)
