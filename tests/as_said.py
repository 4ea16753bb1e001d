"""What a phone says with offsets of its own, an empty note and typed-in totals, and says again later."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from uuid_utils.compat import uuid7

from tests.cast import Person, entry
from tests.scales import filled

Said = tuple[str, str, dict[str, Any]]
ENTRY, SCALE = "entry", "questionnaire_response"
PATHS = {ENTRY: "entries", SCALE: "questionnaire-responses"}
HALF, KATHMANDU, WEST, FAR = "-03:30", "+05:45", "-12:00", "+23:59"


def at(now: datetime, offset: str, **back: float) -> str:
    """Return a moment some microseconds and ``back`` (parts of a timedelta) before ``now``, at ``offset``."""
    moment = now - timedelta(microseconds=876544, **back)
    if offset == "Z":
        return moment.isoformat().replace("+00:00", "Z")
    hours, minutes = offset[1:].split(":")
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return moment.astimezone(timezone(-east if offset[0] == "-" else east)).isoformat()


def tell(person: Person, now: datetime) -> Sequence[Said]:
    """Put what the phone of ``person`` says; return of each thing its kind, its id and what was said last."""
    told = [(kind, str(uuid7()), body) for kind, body in _bodies(now)]
    for kind, name, body in told:
        answer = person.put(f"/{PATHS[kind]}/{name}", body)
        assert answer.status_code == 201, answer.text
    return [*told, _corrected(person, now), _taken_back(person, now)]


def _bodies(now: datetime) -> Sequence[tuple[str, dict[str, Any]]]:
    began = {
        "nausea": at(now, KATHMANDU, hours=3),
        "headache": at(now, "Z", hours=2),
        "dizziness": at(now, FAR),
    }
    ill = {"side_effects": {"nausea": 2, "headache": 1, "dizziness": 1}, "side_effect_onset": began}
    typed = filled(now, "asrm", total=10)
    del typed["answers"]
    moments = [{"occurred_at": at(now, offset, hours=1)} for offset in (HALF, KATHMANDU, "Z", FAR, WEST)]
    short = {"occurred_at": "2026-03-02T10:00:00.1+01:00"}
    return [
        *((ENTRY, entry(now, zone="Asia/Kathmandu") | moment) for moment in moments),
        (ENTRY, entry(now, note="", **ill) | {"occurred_at": at(now, HALF)}),
        (ENTRY, entry(now, tags=["a"], note="'") | short),
        *((SCALE, filled(now, "gad-7", each=1) | moment) for moment in moments),
        (SCALE, typed | short),
    ]


def _corrected(person: Person, now: datetime) -> Said:
    """Let a moment be said in another offset, a note be emptied and an onset be moved from zone to zone."""
    path, name = PATHS[ENTRY], str(uuid7())
    effects = {"side_effects": {"nausea": 1}}
    for version, (offset, note) in enumerate(((KATHMANDU, "Ill."), (HALF, ""), ("Z", None))):
        moved = {"occurred_at": at(now, offset), "side_effect_onset": {"nausea": at(now, offset, hours=5)}}
        said = entry(now, **effects) | moved | ({} if note is None else {"note": note})
        answer = person.put(f"/{path}/{name}", said, version or None)
        assert answer.status_code in (200, 201), answer.text
    return ENTRY, name, said


def _taken_back(person: Person, now: datetime) -> Said:
    """Let a scale be taken back and filled once more, with another offset."""
    path, name = PATHS[SCALE], str(uuid7())
    said = filled(now, occurred_at=at(now, KATHMANDU))
    assert person.put(f"/{path}/{name}", said).status_code == 201
    assert person.delete(f"/{path}/{name}", 1).status_code == 204
    again = said | {"occurred_at": at(now, HALF)}
    assert person.put(f"/{path}/{name}", again, 2).status_code == 200
    return SCALE, name, again
