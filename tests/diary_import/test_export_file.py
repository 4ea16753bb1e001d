"""An export is read whole or not at all: what is wrong with it is named by its place."""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.diary_import.export_file import ExportError, read_export

MOMENT = "2026-03-02T12:00:00+00:00"
CONTENT = {
    "occurred_at": MOMENT,
    "zone": "Europe/Oslo",
    "items": {"mood": 7},
    "side_effects": {"nausea": 2},
    "safety": "no",
    "medication": {"adherence": "partly"},
    "entered_by": "patient",
    "tags": ["walk"],
    "note": "Fine.",
}
ANSWERED = {
    "instrument": "phq-9",
    "instrument_version": 1,
    "locale": "en",
    "answers": {"q1": 1, "q2": None},
    "total": None,
    "occurred_at": MOMENT,
    "zone": "Europe/Oslo",
    "occurrence": None,
}


def reported(number: int, *contents: Any) -> dict[str, Any]:
    """Return an entry or response with a version for each of ``contents``."""
    revisions = [
        {"version": version, "received_at": MOMENT, "local_day": None, "content": content}
        for version, content in enumerate(contents, 1)
    ]
    row = f"019caae3-5000-7000-8000-{number:012}"
    return {"id": row, "source": "app", "recorded_at": None, "revisions": revisions}


FIRST: dict[str, Any] = {
    "format": "afterglow-export",
    "format_version": 1,
    "contract_version": "0.1.0",
    "exported_at": MOMENT,
    "patient": {"name": "Ana", "birth_year": None, "zone": "Europe/Oslo", "country": "GB"},
    "counts": {
        "entries": 1,
        "questionnaire_responses": 1,
        "revisions": 4,
        "courses": 1,
        "treatment_sessions": 1,
    },
    "entries": [reported(1, CONTENT, CONTENT | {"note": None}, None)],
    "questionnaire_responses": [reported(2, ANSWERED)],
    "courses": [
        {
            "route": "intranasal",
            "condition": "depression",
            "phase": "maintenance",
            "started_on": "2026-01-05",
            "ended_on": None,
            "min_interval_days": 7,
            "max_interval_days": 28,
        }
    ],
    "treatment_sessions": [{"course": 0, "at": MOMENT, "status": "delivered", "route": "intranasal"}],
}
PLAN = {
    "reminders": True,
    "remind_at": "20:00",
    "every_days": 1,
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "pause": {"first": "2026-03-04", "last": "2026-03-05"},
    "scales": [
        {
            "instrument": "phq-9",
            "anchor": "session",
            "offsets": [-1, 1],
            "every_days": 14,
            "first_day": None,
            "open_days": 3,
        }
    ],
}


def second() -> dict[str, Any]:
    """Return a file of the newest format."""
    file = copy.deepcopy(FIRST) | {"format_version": 2, "check_in_plan": PLAN}
    file["zone_changes"] = [{"zone": "Asia/Tokyo", "since": MOMENT, "recorded_at": MOMENT}]
    file["counts"] |= {"zone_changes": 1}
    file["entries"][0] |= {"clock_skew_seconds": 1200, "clock_suspect": True}
    file["questionnaire_responses"][0] |= {"clock_skew_seconds": None, "clock_suspect": False, "score": None}
    return copy.deepcopy(file)


def read(file: Any) -> Any:
    return read_export(json.dumps(file).encode())


def test_an_export_of_the_first_format_is_still_read() -> None:
    found = read(FIRST)
    assert (len(found.revisions), len(found.sessions), len(found.courses)) == (4, 1, 1)
    assert (found.zones, found.plan) == ([], None)
    assert {one.sent_at for one in found.revisions} == {None}


def sent(found: Any) -> list[tuple[int, datetime | None]]:
    return [(one.version, one.sent_at) for one in found.revisions if not one.is_response]


def test_the_phones_clock_is_that_of_the_versions_with_the_last_moment_that_was_said() -> None:
    late = datetime(2026, 3, 2, 12, tzinfo=UTC) - timedelta(minutes=20)
    found = read(second())
    assert sent(found) == [(1, late), (2, late), (3, None)]
    moved = second()
    moved["entries"][0]["revisions"][0]["content"]["occurred_at"] = "2026-03-01T09:00:00+01:00"
    assert sent(read(moved)) == [(1, None), (2, late), (3, None)]
    assert (found.plan, [zone.zone for zone in found.zones]) == (PLAN, ["Asia/Tokyo"])


ENTRY, SCALE = ("entries", 0), ("check_in_plan", "scales", 0)
VERSION = (*ENTRY, "revisions", 0)
FILLED = ("questionnaire_responses", 0, "revisions", 0, "content")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), "diary", "not an export"),
        (("format_version",), 3, "format version 1 or 2"),
        (("format_version",), [2], "format version 1 or 2"),
        (("format_version",), 1, "zone_changes: Unknown field"),
        (("counts", "entries"), 9, "counts"),
        (("counts", "zone_changes"), 0, "counts"),
        (("moods",), [], "moods"),
        (("treatment_sessions", 0, "course"), 7, "course that is not in it"),
        ((*VERSION, "version"), 2, "every version"),
        ((*VERSION, "content"), None, "every version"),
        ((*VERSION, "received_at"), "2999-01-01T00:00:00+00:00", "every version"),
        ((*VERSION, "received_at"), "0001-01-01T00:00:00+00:00", "received_at"),
        ((*VERSION, "content", "items"), {"mood": 11}, "items.mood"),
        ((*VERSION, "content", "items"), {"mood": "7"}, "items.mood"),
        ((*VERSION, "content", "items"), {"joy": 7}, "items.joy"),
        ((*VERSION, "content", "side_effect_onset"), {"fall": MOMENT}, "side_effect_onset.fall"),
        ((*VERSION, "content", "safety"), "maybe", "safety"),
        ((*FILLED, "instrument"), "madrs", "rated by a clinician"),
        ((*FILLED, "answers"), None, "answers: Are missing"),
        ((*VERSION, "content", "zone"), "Mars", "zone"),
        ((*VERSION, "content", "zone"), "localtime", "zone"),
        ((*VERSION, "content", "medication"), {"opioid_changed": "yes"}, "opioid"),
        ((*ENTRY, "clock_skew_seconds"), 10**12, "clock_skew_seconds"),
        ((*ENTRY, "clock_suspect"), 1, "clock_suspect"),
        (("check_in_plan", "remind_at"), "8 pm", "remind_at"),
        (("check_in_plan", "every_days"), 4, "every_days"),
        (("check_in_plan", "pause", "last"), "2026-03-03", "pause.last"),
        ((*SCALE, "instrument"), "mood-99", "scales.0.instrument"),
        ((*SCALE, "anchor"), "calendar", "scales.0.first_day"),
        (("zone_changes", 0, "zone"), "Mars", "zone_changes.0.zone"),
        (("zone_changes", 0, "since"), "2026-03-02T12:00:01+00:00", "zone_changes.0.since"),
    ],
)
def test_a_damaged_export_says_where(path: tuple[Any, ...], value: Any, said: str) -> None:
    file: Any = second()
    part = file
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ExportError, match=said):
        read(file)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[1]", b"[" * 100_000], ids=["empty", "bytes", "list", "deep"]
)
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(ExportError):
        read_export(data)
