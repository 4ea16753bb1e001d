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
    """The end of one clinic's chain at a moment. ``restored``: an older backup was put back, on purpose, and
    all that was noted before was judged: nothing was missing but what came after that backup.

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

    ``noted``: when that one was written down.
    """

    agreed: int = 0
    found: Found | None = None
    noted: datetime | None = None


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
        elif anchor.restored:
            so_far = _restored(work, anchor, stored.get(anchor.position), so_far)
        else:
            so_far = _agrees(work, anchor, stored.get(anchor.position), so_far)
    return so_far


def _agrees(work: Work, anchor: Anchor, stored: bytes | None, so_far: Compared) -> Compared:
    if stored is None:
        return _first(so_far, Found(Fault.CUT, seals.head(work).position + 1), anchor)
    if stored.hex() != anchor.digest:
        return _first(so_far, Found(Fault.REPLACED, so_far.agreed + 1), anchor)
    return replace(so_far, agreed=max(so_far.agreed, anchor.position))


def _restored(work: Work, anchor: Anchor, stored: bytes | None, so_far: Compared) -> Compared:
    """Forget what was only missing because a backup that ends where ``anchor`` says was put back.

    That end must be there: what has come since was chained behind it.
    """
    is_forged = so_far.found is not None and so_far.found.fault is Fault.FORGED
    is_there = stored is not None and stored.hex() == anchor.digest
    if not is_forged and (is_there or anchor.position == 0):  # 0: a backup from before the first link
        return Compared(anchor.position)
    return so_far if anchor.position == 0 else _agrees(work, anchor, stored, so_far)


def _first(so_far: Compared, found: Found, anchor: Anchor) -> Compared:
    return so_far if so_far.found else replace(so_far, found=found, noted=anchor.at)


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
