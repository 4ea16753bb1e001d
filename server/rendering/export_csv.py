"""An export as one tidy CSV: a row for each version of what was reported, each course, session, zone change.

Where it holds rows about substance use, the first row is the notice that must stay with them. The last one
is its end, with the number of rows before it: a file that was cut off has none.

Every time stands there three times: as the patient's clock showed it, in UTC, and with its zone and
offset. What was reported has it once more as it was said, with the offset that the phone gave. A cell
that a spreadsheet would run as a formula is made plain text. What is written here is read back by
`server.diary_import.export_csv`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from server.clinical.vocabulary import ITEMS

# A byte order mark tells spreadsheets that this is UTF-8.
MARK = "\ufeff"
CURRENT = "current"
END = "end"
# The last line of a file whose rest could not be sent.
CUT_OFF = "incomplete\r\n"
Sections = Mapping[str, Iterable[Mapping[str, Any]]]
_CLOCK = ("clock_skew_seconds", "clock_suspect")
# Also what begins like a cell that was made plain: else nobody could tell which one was.
_FORMULA = re.compile("'*[-=+@\\t\\r＝＋－＠]")
_WHEN = ("local_day", "local_time", "utc", "zone", "utc_offset", "received_utc")
_SAID = (
    "entered_by",
    "side_effects",
    "side_effect_onset_utc",
    "safety",
    "adherence",
    "rescue_doses",
    "opioid_changed",
    "circumstances",
    "tags",
    "note",
)
COLUMNS = (
    *("kind", "id", "version", "state", "form_version", *_WHEN, "source"),
    *ITEMS,
    *(*_SAID, "scale", "scale_version", "locale", "answers", "total", "prorated"),
    *("route", "clock_skew_seconds", "clock_suspect", "recorded_utc", "occurrence"),
    *("course", "condition", "phase", "started_on", "ended_on", "min_interval_days", "max_interval_days"),
    # To the letter, for who takes the file back: a text of the CSV can't be empty and yet be there.
    *("occurred_at", "side_effect_onset", "empty_note"),
    "rows",
)


def written(head: Mapping[str, Any], sections: Sections) -> Iterator[str]:
    """Yield an export (`server.services.journal.export.Export`) as CSV, its header first, then a row each."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    yield MARK + _taken(out)
    count = 0
    for row in _rows(head, sections):
        writer.writerow({key: _plain(value) for key, value in row.items()})
        yield _taken(out)
        count += 1
    writer.writerow({"kind": END, "rows": count})
    yield _taken(out)


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def _rows(head: Mapping[str, Any], sections: Sections) -> Iterator[dict[str, Any]]:
    form = {"form_version": head["contract_version"]}
    if head.get("redisclosure_notice"):
        yield form | {"kind": "notice", "note": head["redisclosure_notice"]}
    for entry in sections["entries"]:
        for revision in entry["revisions"]:
            yield form | _revision(entry, revision)
    for response in sections["questionnaire_responses"]:
        for revision in response["revisions"]:
            yield form | _filled(response, revision)
    for row in _visits(sections, head["patient"]["zone"]):
        yield form | row
    for change in sections["zone_changes"]:
        told = {"kind": "zone_change", "received_utc": _utc(change["recorded_at"])}
        yield form | told | _when(change["since"], change["zone"])


def _visits(sections: Sections, zone: str) -> Iterator[dict[str, Any]]:
    """Yield courses, numbered from 1, and the sessions, which name theirs."""
    for number, course in enumerate(sections["courses"], 1):
        yield {"kind": "course", "course": number, **course}
    for session in sections["treatment_sessions"]:
        named = {"kind": "treatment_session", "state": session["status"], "route": session["route"]}
        yield named | {"course": session["course"] + 1} | _when(session["at"], zone)


def _filled(response: Mapping[str, Any], revision: Mapping[str, Any]) -> dict[str, Any]:
    row, content = _version("questionnaire_response", response, revision), revision["content"]
    if content is None:
        return row
    answers = content.get("answers") or {}
    score = (response["score"] or {}) if row["state"] == CURRENT else {}
    filled = {
        "scale": content["instrument"],
        "scale_version": content["instrument_version"],
        "locale": content["locale"],
        "answers": "; ".join(f"{key} {'' if value is None else value}" for key, value in answers.items()),
        "total": _total(score.get("total"), content.get("total")),
        "prorated": score.get("prorated"),
        "occurrence": content.get("occurrence"),
    }
    return {**row, **_felt(content), **filled, "local_day": revision["local_day"]}


def _total(score: float | None, typed: float | None) -> str | None:
    """Return a total as people write it: a score to six digits, one that was typed in to the last."""
    if typed is not None:
        return repr(typed).removesuffix(".0")
    return None if score is None else f"{score:g}"


def _version(kind: str, entry: Mapping[str, Any], revision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": entry["id"],
        "version": revision["version"],
        "state": _state(entry, revision),
        "received_utc": _utc(revision["received_at"]),
        "source": entry["source"],
        "recorded_utc": _utc(entry["recorded_at"]) if entry["recorded_at"] else None,
        # The clock is that of the version that was sent last.
        **({key: entry[key] for key in _CLOCK} if revision is _last_said(entry) else {}),
    }


def _last_said(entry: Mapping[str, Any]) -> Any:
    return [one for one in entry["revisions"] if one["content"] is not None][-1]


def _revision(entry: Mapping[str, Any], revision: Mapping[str, Any]) -> dict[str, Any]:
    row, content = _version("entry", entry, revision), revision["content"]
    if content is None:
        return row
    onset = content.get("side_effect_onset", {})
    said = {
        "local_day": revision["local_day"],
        "side_effects": "; ".join(f"{term} {grade}" for term, grade in content["side_effects"].items()),
        "side_effect_onset_utc": "; ".join(f"{term} {_utc(at)}" for term, at in onset.items()),
        "side_effect_onset": "; ".join(f"{term} {at}" for term, at in onset.items()),
        "safety": content["safety"],
        "entered_by": content["entered_by"],
        "circumstances": " | ".join(content.get("circumstances", [])),
        "tags": " | ".join(_escaped(tag) for tag in content["tags"]),
        "note": content["note"],
        "empty_note": True if content["note"] == "" else None,
    }
    return {**row, **_felt(content), **content["items"], **content["medication"], **said}


def _state(entry: Mapping[str, Any], revision: Mapping[str, Any]) -> str:
    if revision["content"] is None:
        return "taken_back"
    return CURRENT if revision is entry["revisions"][-1] else "replaced"


def _felt(content: Mapping[str, Any]) -> dict[str, str]:
    at = content["occurred_at"]
    return _when(at, content["zone"]) | {"occurred_at": at}


def _when(at: str, zone: str) -> dict[str, str]:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    offset = local.isoformat()[-6:]
    return {
        "local_time": local.replace(tzinfo=None).isoformat(),
        "utc": _utc(at),
        "zone": zone,
        "utc_offset": f"UTC{offset}",
    }


def _utc(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return "" if value is None else value


def _escaped(tag: str) -> str:
    """Return a tag that can stand between bars."""
    return tag.replace("\\", "\\\\").replace("|", "\\|")
