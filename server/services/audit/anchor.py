"""Ends of chains as they are written down outside the database, one JSON object a line.

Whoever rules the database can cut a chain or hash it anew. What was written down elsewhere they can not
change.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.models import AuditSeal
from server.services import vault
from server.services.audit import audit_seal as seals
from server.services.audit.audit_seal import Head
from server.services.audit.chain import written
from server.services.audit.verifying import Fault, Found
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of one clinic's chain at a moment. ``restored``: an older backup was put back, on purpose.

    ``verified``: where all up to there was verified then, so that a later day goes on from it, the proof
    of that; empty where the clinic has no key.
    """

    at: datetime
    clinic_id: UUID
    position: int
    digest: str
    proof: str | None
    restored: bool = False
    verified: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What the anchors of one clinic said so far: up to where they agree, and the first that does not.

    ``against``: the position that that one names. The fault lies there or before.
    """

    agreed: int = 0
    found: Found | None = None
    against: int = 0


def take(work: Work, restored: bool = False) -> Anchor | None:
    """Return the anchor of the clinic's chain as it ends now; None where there is no chain yet."""
    end = seals.head(work)
    if end.position == 0 and not restored:
        return None
    made = Anchor(work.now, work.clinic_id, end.position, end.digest.hex(), None, restored)
    return replace(made, proof=_proof(work, made)) if seals.has_key(work) else made


def checkpoint(work: Work, end: Head) -> Anchor:
    """Return what notes that the clinic's chain was verified up to ``end`` today."""
    made = Anchor(work.now, work.clinic_id, end.position, end.digest.hex(), None, verified="")
    if not seals.has_key(work):
        return made
    return replace(made, proof=_proof(work, made), verified=_verified(work, made))


def as_line(anchor: Anchor) -> str:
    """Return ``anchor`` as a line without its end."""
    said: dict[str, Any] = {"at": written(anchor.at), "clinic": str(anchor.clinic_id)}
    said |= {"position": anchor.position, "digest": anchor.digest, "proof": anchor.proof}
    said |= {"restored": True} if anchor.restored else {}
    return json.dumps(said | ({} if anchor.verified is None else {"verified": anchor.verified}))


def from_line(line: str) -> Anchor:
    """Return what a line says; raises ValueError where it is none of ours."""
    try:
        said = json.loads(line)
        at, clinic_id = datetime.fromisoformat(said["at"]), UUID(said["clinic"])
        position, digest = int(said["position"]), bytes.fromhex(said["digest"]).hex()
        marks = bool(said.get("restored")), said.get("verified")
        return Anchor(at, clinic_id, position, digest, said["proof"], *marks)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the end of a chain") from error


def compare(work: Work, anchors: Sequence[Anchor], so_far: Compared) -> Compared:
    """Return what further ``anchors`` of the clinic, in the order they were written, say of its chain."""
    stored = _stored(work, [anchor.position for anchor in anchors])
    keyed = seals.has_key(work)
    for anchor in anchors:
        if keyed and not _is_ours(work, anchor):
            so_far = _first(so_far, Found(Fault.FORGED, anchor.position), anchor)
            continue
        if anchor.restored:
            so_far = _restored(so_far, anchor.position)
        so_far = _agrees(work, anchor, stored.get(anchor.position), so_far)
    return so_far


def _agrees(work: Work, anchor: Anchor, stored: bytes | None, so_far: Compared) -> Compared:
    if anchor.position == 0:
        return so_far  # a backup from before the first link was put back
    if stored is None:
        return _first(so_far, Found(Fault.CUT, seals.head(work).position + 1), anchor)
    if stored.hex() != anchor.digest:
        return _first(so_far, Found(Fault.REPLACED, so_far.agreed + 1), anchor)
    return replace(so_far, agreed=max(so_far.agreed, anchor.position))


def _restored(so_far: Compared, position: int) -> Compared:
    """Forget what was only missing because a backup that ends at ``position`` was put back.

    Other links have taken the place of what was lost since, from behind ``position`` on; the end that was
    noted before it may lie further back.
    """
    found = so_far.found
    excused = found is not None and found.fault is not Fault.FORGED and so_far.against > position
    agreed = min(so_far.agreed, position)
    return Compared(agreed) if excused else replace(so_far, agreed=agreed)


def _first(so_far: Compared, found: Found, anchor: Anchor) -> Compared:
    return so_far if so_far.found else replace(so_far, found=found, against=anchor.position)


def _stored(work: Work, positions: Sequence[int]) -> dict[int, bytes]:
    query = select(AuditSeal.position, AuditSeal.digest).where(
        AuditSeal.clinic_id == work.clinic_id, AuditSeal.position.in_(set(positions))
    )
    return dict(iter(work.session.execute(query)))


def _is_ours(work: Work, anchor: Anchor) -> bool:
    verified = None if anchor.verified is None else _verified(work, anchor)
    return (anchor.proof, anchor.verified) == (_proof(work, anchor), verified)


def _verified(work: Work, anchor: Anchor) -> str:
    """Return the proof of a checkpoint. It says the moment: an older one is none of today."""
    place = f"audit_seals.verified/{work.clinic_id}"
    return vault.keyring(work).digest(f"{anchor.position} {anchor.digest} {written(anchor.at)}", place)


def _proof(work: Work, anchor: Anchor) -> str:
    if not anchor.restored:
        return seals.proof(work, Head(anchor.position, bytes.fromhex(anchor.digest)))
    place = f"audit_seals.restored/{work.clinic_id}"
    return vault.keyring(work).digest(f"{anchor.position} {anchor.digest} {written(anchor.at)}", place)
