"""Read and check an export of Afterglow itself. Every problem is named by its place, never by content."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from operator import itemgetter
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from server.clinical.vocabulary import Route, SessionStatus, Source
from server.diary_import.export_shapes import FORMATS, FirstFile
from server.diary_import.other_shape import OtherFile

FORMAT = "afterglow-export"
LARGEST_EXPORT = 100_000_000
PROBLEMS_SHOWN = 20


class ExportError(ValueError):
    """The file can't be used. ``problems`` names what is wrong with it, and where."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an entry or of a questionnaire response (``entry_id`` is the id of either).

    ``said`` is its content as it stands in the file, None where it was taken back. ``recorded_at`` is when
    the last one was written down; no file has it of those before, so they stand as written down when they
    were felt: each was taken in time once, by whichever clock. ``sent_at`` is the phone's clock when it sent
    this version, where that is known: of those that have the last one's moment.
    """

    entry_id: UUID
    version: int
    received_at: datetime
    source: Source
    recorded_at: datetime | None
    said: Mapping[str, Any] | None
    is_response: bool = False
    sent_at: datetime | None = None

    def content(self) -> dict[str, Any]:
        """Return the content as the journal takes it."""
        assert self.said is not None, "a version that was taken back has no content"
        occurred = datetime.fromisoformat(self.said["occurred_at"])
        given = {key: value for key, value in self.said.items() if value is not None or not self.is_response}
        onset = self.said.get("side_effect_onset", {})
        began = {term: datetime.fromisoformat(text) for term, text in onset.items()}
        times = {"occurred_at": occurred, "recorded_at": self.recorded_at}
        return {**given, **times} | ({"side_effect_onset": began} if began else {})


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session; ``course`` is the place of its course in the list."""

    course: int
    at: datetime
    status: SessionStatus
    route: Route


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """The patient was in ``zone`` from ``since`` on, and said so at ``recorded_at``."""

    zone: str
    since: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose export it is, as the file says it."""

    name: str
    birth_year: int | None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A checked export. ``courses`` are values of `Course`; ``revisions`` come as they were received.

    ``plan`` is the check-in plan as it stands in the file; None where there is none in it.
    ``lacking``: what a format has no place for, in words; ``unsaid``: the members of a content among it.
    ``latest_only``: it has one version of everything, the first or a later one. ``owner``: whose it is; None
    where the file does not say.
    """

    courses: Sequence[Mapping[str, Any]]
    sessions: Sequence[PastSession]
    revisions: Sequence[Revision]
    zones: Sequence[ZoneReport] = ()
    plan: Mapping[str, Any] | None = None
    lacking: Sequence[str] = ()
    unsaid: frozenset[str] = frozenset()
    latest_only: bool = False
    owner: Owner | None = None

    def steps(self) -> tuple[Sequence[UUID], Sequence[datetime]]:
        """Return the ids of its entries and scales, and the moments of its sessions."""
        return [one.entry_id for one in self.revisions], [one.at for one in self.sessions]


def read_export(data: bytes) -> ExportFile:
    """Return what is in an export (JSON); ExportError names its problems, the first 20 at the most."""
    raw = _raw(data)
    return _checked(raw, FORMATS[raw["format_version"]])


def of_sections(
    sections: Mapping[str, Sequence[Any]], lacking: Sequence[str], plan: Mapping[str, Any] | None = None
) -> ExportFile:
    """Return what the sections of another format, as JSON would have them, mean; it is ``lacking`` the rest.

    They have no counts of their own; ``plan``: the check-in plan. ExportError as `read_export`.
    """
    counts = {name: len(rows) for name, rows in sections.items()}
    reported = (*sections["entries"], *sections["questionnaire_responses"])
    counts["revisions"] = sum(len(one["revisions"]) for one in reported)
    told = {} if plan is None else {"check_in_plan": plan}
    return replace(_checked({**sections, **told, "counts": counts}, OtherFile), lacking=lacking)


def _checked(raw: Mapping[str, Any], shape: type[FirstFile]) -> ExportFile:
    """Return what ``raw``, an export as JSON has it, means; ExportError as `read_export`."""
    try:
        loaded: Any = shape().load(raw)
    except ValidationError as error:
        raise ExportError(*sorted(_flat(error.messages))[:PROBLEMS_SHOWN]) from None
    sessions = [PastSession(**session) for session in loaded["treatment_sessions"]]
    if any(session.course >= len(loaded["courses"]) for session in sessions):
        raise ExportError("has a session of a course that is not in it")
    found = [one for entry in loaded["entries"] for one in _revisions(entry, False)]
    found += [one for response in loaded["questionnaire_responses"] for one in _revisions(response, True)]
    found.sort(key=lambda one: (one.received_at, one.version))
    zones = [ZoneReport(**change) for change in loaded.get("zone_changes", ())]
    return ExportFile(
        loaded["courses"], sessions, found, zones, raw.get("check_in_plan"), owner=_owner(raw.get("patient"))
    )


def _owner(raw: Any) -> Owner | None:
    """Return whose file it is. What can't be read says nothing: it is taken back in no other way."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        return None
    year = raw.get("birth_year")
    return Owner(raw["name"], year if isinstance(year, int) else None)


def _raw(data: bytes) -> Mapping[str, Any]:
    """Return the file's values as they are written, of a format that is known."""
    try:
        raw: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ExportError("is neither JSON, CSV nor FHIR as Afterglow writes it") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ExportError("is not an export of Afterglow")
    version = raw.get("format_version")
    if not isinstance(version, int) or version not in FORMATS:
        raise ExportError(f"is not of format version {' or '.join(map(str, FORMATS))}")
    return raw


def _revisions(entry: Mapping[str, Any], is_response: bool) -> Iterator[Revision]:
    history, skew = entry["revisions"], entry.get("clock_skew_seconds")
    dated, last = _dated_alike(history), [one for one in history if one["content"] is not None][-1]
    for one in history:
        late = timedelta(seconds=skew) if skew is not None and one["version"] in dated else None
        yield Revision(
            entry_id=entry["id"],
            version=one["version"],
            received_at=one["received_at"],
            source=entry["source"],
            recorded_at=_moment(one) if _is_before(one, last) else entry["recorded_at"],
            said=one["content"],
            is_response=is_response,
            sent_at=None if late is None else one["received_at"] - late,
        )


def _is_before(version: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Return whether a version was said before the ``last`` that was, with which the file says when."""
    return version["content"] is not None and bool(version["version"] < last["version"])


def _dated_alike(history: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """Return the last versions with one and the same moment: the clock that gave it to the first is known."""
    said = [one for one in history if one["content"] is not None]
    said.sort(key=itemgetter("version"), reverse=True)
    alike = takewhile(lambda one: _moment(one) == _moment(said[0]), said)
    return frozenset(one["version"] for one in alike)


def _moment(version: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(version["content"]["occurred_at"])


def _flat(messages: Any, path: str = "") -> Iterator[str]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            # "value", "key" and "_schema" are the library's own levels.
            own = path if key in ("value", "key", "_schema") else f"{path}.{key}".lstrip(".")
            yield from _flat(below, own)
    else:
        yield from (f"{path}: {message}" for message in messages)
