"""A row of the export (`server.services.journal.export`) as the values that resources are made of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from server.clinical.instruments.catalog import edition_of
from server.clinical.vocabulary import EnteredBy, SafetyAnswer, Source
from server.fhir.own import moments
from server.fhir.reported import Entry, Filled

Row = Mapping[str, Any]


def entry(whose: UUID, row: Row, version: int) -> Entry:
    """Return an entry as ``version`` of it stood; one that was taken back says nothing."""
    content, gone = _content(row, version)
    said: Row = {} if gone else content
    safety = said.get("safety")
    return Entry(
        **_common(whose, row, version),
        entered_by=EnteredBy(content["entered_by"]),
        items=said.get("items", {}),
        side_effects=said.get("side_effects", {}),
        side_effect_onset={k: moments.writable(at) for k, at in said.get("side_effect_onset", {}).items()},
        safety=None if safety is None else SafetyAnswer(safety),
        medication=said.get("medication", {}),
        circumstances=said.get("circumstances", ()),
    )


def filled(whose: UUID, row: Row, version: int) -> Filled:
    """Return a filled scale as ``version`` of it stood. Only the last version has a score."""
    content, gone = _content(row, version)
    named = (content["instrument"], content["instrument_version"], content["locale"])
    score = (row["score"] or {}) if version == len(row["revisions"]) else {}
    return Filled(
        **_common(whose, row, version),
        instrument=named[0],
        instrument_version=named[1],
        locale=named[2],
        sensitivity=edition_of(*named).sensitivity,
        answers={} if gone else content["answers"] or {},
        total=score.get("total"),
        subscores=score.get("subscores", {}),
        prorated=score.get("prorated", False),
    )


def _content(row: Row, version: int) -> tuple[Row, bool]:
    """Return what was said last up to ``version``, and whether that version took it back."""
    said = [one["content"] for one in row["revisions"][:version]]
    return next(content for content in reversed(said) if content is not None), said[-1] is None


def _common(whose: UUID, row: Row, version: int) -> dict[str, Any]:
    content, gone = _content(row, version)
    past = row["revisions"][:version]
    received = next(one["received_at"] for one in reversed(past) if one["content"] is not None)
    return {
        "patient_id": whose,
        "id": UUID(row["id"]),
        "version": version,
        "occurred_at": datetime.fromisoformat(content["occurred_at"]),
        "zone": content["zone"],
        "clock_suspect": row["clock_suspect"],
        "recorded_at": datetime.fromisoformat(row["recorded_at"]) if row["recorded_at"] else None,
        "received_at": datetime.fromisoformat(received),
        "source": Source(row["source"]),
        "deleted_at": datetime.fromisoformat(past[-1]["received_at"]) if gone else None,
    }
