"""Read an export's CSV (`server.rendering.export_csv`) back into the shape that its JSON has."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.clinical.vocabulary import ITEMS
from server.diary_import.export_file import ExportError, ExportFile, of_sections
from server.diary_import.moment import as_said, in_utc

CSV_LACKS = ("the check-in plan", "name, year of birth and country")
CUT_OFF = "incomplete"
# Without one of these it is a file of an older version, which could not be taken whole.
NEEDED = (
    "kind",
    "id",
    "version",
    "state",
    "utc",
    "zone",
    "recorded_utc",
    "occurrence",
    "course",
    "started_on",
)
_PLAIN = re.compile("'+[-=+@\t\r＝＋－＠]")
_WHOLE = re.compile("-?[0-9]+")
_ESCAPED = re.compile(r"\\(.)")
Row = Mapping[str, str]
_NO_CSV = "is not CSV in UTF-8"


@dataclass(slots=True)
class _Read:
    """What was read so far; a history by the id of its entry.

    ``count``: of rows; ``told``: how many the end says came before it, None until it was met.
    """

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    questionnaire_responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    courses: list[dict[str, Any]] = field(default_factory=list)
    treatment_sessions: list[dict[str, Any]] = field(default_factory=list)
    zone_changes: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0
    told: int | None = None


def read_csv(data: bytes) -> ExportFile:
    """Return what is in an export's CSV; ExportError names its problems by line, never by content."""
    read = _Read()
    reader = _reader(data)
    for line, row in _rows(reader):
        take = _KINDS.get(row["kind"])
        if take is None:
            raise ExportError(f"line {line}: is of no kind that is known")
        try:
            take(read, row)
        except (ValueError, KeyError):
            raise ExportError(f"line {line}: can't be read") from None
        read.count += 1
    # A file of before has no end.
    if "rows" in (reader.fieldnames or ()) and read.told != read.count - 1:
        raise ExportError("is not whole: it does not hold what its end says")
    return of_sections(
        {
            "entries": list(read.entries.values()),
            "questionnaire_responses": list(read.questionnaire_responses.values()),
            "courses": read.courses,
            "treatment_sessions": read.treatment_sessions,
            "zone_changes": read.zone_changes,
        },
        CSV_LACKS,
    )


def _reader(data: bytes) -> "csv.DictReader[str]":
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        _check_columns(reader.fieldnames or ())
    except (UnicodeError, csv.Error):
        raise ExportError(_NO_CSV) from None
    return reader


def _rows(reader: "csv.DictReader[str]") -> Iterator[tuple[int, Row]]:
    """Yield each row with the number of its last line. What was made plain for spreadsheets is as it was."""
    try:
        yield from ((reader.line_num, _row(reader.line_num, row)) for row in reader)
    except csv.Error:
        raise ExportError(_NO_CSV) from None


def _check_columns(names: Sequence[str]) -> None:
    missing = set(NEEDED) - set(names)
    if missing:
        raise ExportError(f"has no column {', '.join(sorted(missing))}: it is of an older version")


def _row(line: int, row: Mapping[Any, str | None]) -> Row:
    if row["kind"] == CUT_OFF:
        raise ExportError(f"line {line}: the file was cut off here")
    if None in row:
        raise ExportError(f"line {line}: has more fields than the header")
    if None in row.values():
        raise ExportError(f"line {line}: has fewer fields than the header")
    return {key: _as_it_was(text) for key, text in row.items() if text is not None}


def _as_it_was(text: str) -> str:
    return text[1:] if _PLAIN.match(text) else text


def _entry(read: _Read, row: Row) -> None:
    _add(read.entries, row, _said)


def _response(read: _Read, row: Row) -> None:
    _add(read.questionnaire_responses, row, _filled)


def _add(into: dict[str, dict[str, Any]], row: Row, content: Callable[[Row], dict[str, Any]]) -> None:
    """Add a version to its history. The clock stands in the row of the last version that was sent."""
    begun = {"id": row["id"], "source": row["source"], "recorded_at": row["recorded_utc"] or None}
    entry = into.setdefault(row["id"], begun | {"revisions": []})
    if row["clock_skew_seconds"]:
        entry["clock_skew_seconds"] = int(row["clock_skew_seconds"])
    said = None if row["state"] == "taken_back" else content(row)
    version = {"version": int(row["version"]), "received_at": row["received_utc"], "content": said}
    entry["revisions"].append(version)


def _said(row: Row) -> dict[str, Any]:
    grades = {term: int(grade) for term, grade in _pairs(row["side_effects"])}
    # A file of before has no columns of what was said to the letter: moments are in UTC then.
    told = dict(_pairs(row.get("side_effect_onset", "")))
    onset = {term: as_said(at, told.get(term, "")) for term, at in _pairs(row["side_effect_onset_utc"])}
    circumstances = _split(row["circumstances"])
    return {
        **_when(row),
        "items": {key: _number(row[key]) for key in ITEMS if row.get(key)},
        "side_effects": grades,
        **({"side_effect_onset": onset} if onset else {}),
        "safety": row["safety"] or None,
        "medication": dict(_medication(row)),
        **({"circumstances": circumstances} if circumstances else {}),
        "entered_by": row["entered_by"],
        "tags": [_ESCAPED.sub(r"\1", tag) for tag in _split(row["tags"])],
        "note": row["note"] or ("" if row.get("empty_note") == "yes" else None),
    }


def _when(row: Row) -> dict[str, str]:
    return {"occurred_at": as_said(row["utc"], row.get("occurred_at", "")), "zone": row["zone"]}


def _medication(row: Row) -> Iterator[tuple[str, Any]]:
    if row["adherence"]:
        yield "adherence", row["adherence"]
    if row["rescue_doses"]:
        yield "rescue_doses", int(row["rescue_doses"])
    if row["opioid_changed"]:
        yield "opioid_changed", {"yes": True, "no": False}[row["opioid_changed"]]


def _filled(row: Row) -> dict[str, Any]:
    answers = {key: int(value) if value else None for key, value in _pairs(row["answers"])}
    return {
        "instrument": row["scale"],
        "instrument_version": int(row["scale_version"]),
        "locale": row["locale"],
        "answers": answers or None,
        # A total beside answers is a score: that is made again.
        "total": float(row["total"]) if row["total"] and not answers else None,
        **_when(row),
        "occurrence": row["occurrence"] or None,
    }


def _course(read: _Read, row: Row) -> None:
    if int(row["course"]) != len(read.courses) + 1:
        raise ValueError("courses are numbered from 1 on")
    named = {key: row[key] for key in ("route", "condition", "phase", "started_on")}
    days = {key: int(row[key]) for key in ("min_interval_days", "max_interval_days")}
    read.courses.append({**named, "ended_on": row["ended_on"] or None, **days})


def _session(read: _Read, row: Row) -> None:
    given = {"at": in_utc(row["utc"]), "status": row["state"], "route": row["route"]}
    read.treatment_sessions.append({"course": int(row["course"]) - 1, **given})


def _zone_change(read: _Read, row: Row) -> None:
    told = {"zone": row["zone"], "since": row["utc"], "recorded_at": row["received_utc"]}
    read.zone_changes.append(told)


def _end(read: _Read, row: Row) -> None:
    read.told = int(row["rows"])


def _notice(_: _Read, __: Row) -> None:
    """Take nothing: the notice of substance use is for the reader."""


def _number(text: str) -> float:
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split("; ") if text else ():
        key, _, value = pair.partition(" ")
        yield key, value


def _split(text: str) -> list[str]:
    return text.split(" | ") if text else []


_KINDS: Mapping[str, Callable[[_Read, Row], None]] = {
    "notice": _notice,
    "entry": _entry,
    "questionnaire_response": _response,
    "course": _course,
    "treatment_session": _session,
    "zone_change": _zone_change,
    "end": _end,
}
