"""A patient leaves: the erasure is asked for and confirmed, and the rows are there still."""

from typing import Any

from tests.cast import Cast


def leaves(cast: Cast, name: str = "Ana") -> dict[str, Any]:
    """Let Ana's erasure be confirmed with her ``name``; return it."""
    path = f"/patients/{cast.ana.patient_id}/erasure"
    asked = cast.admin.post(path, {"reason": "patient_asked"})
    assert asked.status_code == 201, asked.text
    confirmed = cast.admin.post(f"{path}/confirm", {"patient_name": name}, version=asked.json["version"])
    assert confirmed.status_code == 200, confirmed.text
    return dict(confirmed.json)
