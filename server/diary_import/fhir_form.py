"""What a filled form of ours says in FHIR, as the content of an entry or of a filled scale."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from server.clinical.vocabulary import EnteredBy, Source
from server.diary_import.moment import as_said, at_offset, in_utc
from server.fhir import codes, device
from server.fhir.own import codes as own
from server.fhir.reported import CAREGIVER

Resource = Mapping[str, Any]
# The members of a content that the facade leaves out.
UNSAID = frozenset({"note", "tags", "occurrence"})
# What was corrected later than this, or was dated by a clock that nobody told of, would not be taken.
_LATE, _AHEAD = timedelta(days=30), timedelta(days=2)
_MEDICATION, _EFFECT, _ONSET = "medication.", "side_effects.", "side_effect_onset."
_GROUPS = ("side_effects", "medication", "safety", "circumstances", own.TAGS, own.NOTE)


def entry_of(form: Resource, origin: Resource) -> dict[str, Any]:
    """Return an entry with its one version. LookupError, ValueError or TypeError for what is none."""
    return _reported(form, origin, entry_said(form))


def response_of(form: Resource, origin: Resource, score: Resource | None) -> dict[str, Any]:
    """Return a filled scale with its one version; ``score``: its Observation. Errors as `entry_of`."""
    said = response_said(form)
    if said["total"] is None and not said["answers"] and score is not None:
        said |= {"answers": None, "total": _decimal(score["valueQuantity"]["value"])}
    return _reported(form, origin, said)


def entry_said(form: Resource) -> dict[str, Any]:
    """Return the content of an entry. Errors as `entry_of`."""
    items = {item["linkId"]: item for item in form.get("item", ())}
    effects = {item["linkId"]: item for item in items.get("side_effects", {}).get("item", ())}
    onset = {k.removeprefix(_ONSET): _began(item) for k, item in effects.items() if k.startswith(_ONSET)}
    graded = {k.removeprefix(_EFFECT): _value(item) for k, item in effects.items() if k.startswith(_EFFECT)}
    told = [answer["valueCoding"]["code"] for answer in items.get("circumstances", {}).get("answer", ())]
    carer = any(one.get("id") == CAREGIVER for one in form.get("contained", ()))
    taken = _answers(items.get("medication", {}))
    return {
        **_when(form),
        "items": {key: _value(item) for key, item in items.items() if key not in _GROUPS},
        "side_effects": graded,
        **({"side_effect_onset": onset} if onset else {}),
        "safety": _value(items["safety"]) if "safety" in items else None,
        "medication": {key.removeprefix(_MEDICATION): value for key, value in taken.items()},
        **({"circumstances": told} if told else {}),
        "entered_by": (EnteredBy.CAREGIVER if carer else EnteredBy.PATIENT).value,
        "tags": [_text(answer) for answer in items.get(own.TAGS, {}).get("answer", ())],
        "note": _note(items[own.NOTE]) if own.NOTE in items else None,
    }


def response_said(form: Resource) -> dict[str, Any]:
    """Return the content of a filled scale. Errors as `entry_of`."""
    key, _, version = form["questionnaire"].removeprefix(f"{codes.QUESTIONNAIRE}:").partition("|")
    answers = _answers(form)
    total = _decimal(answers.pop(own.TOTAL, None))
    return {
        "instrument": key,
        "instrument_version": int(version),
        "locale": form["language"],
        "answers": answers if total is None else None,
        "total": total,
        **_when(form),
        "occurrence": form["basedOn"][0]["identifier"]["value"] if "basedOn" in form else None,
    }


def head_of(form: Resource, origin: Resource) -> dict[str, Any]:
    """Return id and source of what was filled in."""
    assembler = next(one for one in origin["contained"] if one["id"] == device.ASSEMBLER)
    return {
        "id": form["identifier"]["value"].removeprefix("urn:uuid:"),
        "source": device.source_of(assembler).value,
    }


def _reported(form: Resource, origin: Resource, said: dict[str, Any]) -> dict[str, Any]:
    received, head = form["meta"]["lastUpdated"], head_of(form, origin)
    # Without a phone's clock, a Provenance was recorded when it came in.
    recorded = origin["recorded"] if origin["recorded"] != received else None
    known = any(_in_time(at, said["occurred_at"]) for at in (received, origin["recorded"]))
    if not known and head["source"] == Source.APP.value:
        recorded = said["occurred_at"]
    revisions = [{"version": 1, "received_at": received, "content": said}]
    return {**head, "recorded_at": recorded, "revisions": revisions}


def _in_time(at: str, occurred: str) -> bool:
    """Return whether an entry that ``occurred`` would be taken as written down ``at``."""
    return -_AHEAD <= datetime.fromisoformat(at) - datetime.fromisoformat(occurred) <= _LATE


def _when(form: Resource) -> dict[str, str]:
    beside = form["_authored"]
    zone = next(one["valueCode"] for one in beside["extension"] if one["url"] == codes.ZONE)
    # The facade, and a file of before, don't say with which offset it was said.
    at = form["authored"]
    return {"occurred_at": _at_its_offset(at, beside) or in_utc(at), "zone": zone}


def _began(item: Resource) -> str:
    (answer,) = item["answer"]
    at = answer["valueDateTime"]
    return _at_its_offset(at, answer.get("_valueDateTime", {})) or as_said(at, at)


def _at_its_offset(at: str, beside: Resource) -> str | None:
    """Return the moment with the offset that stands ``beside`` it; None where none does."""
    found = (one for one in beside.get("extension", ()) if one["url"] == own.UTC_OFFSET)
    told = next(found, None)
    return None if told is None else at_offset(at, told["valueString"])


def _note(item: Resource) -> str:
    """Return a note to the letter; a question without an answer is a note that was left empty."""
    return _text(item["answer"][0]) if "answer" in item else ""


def _text(answer: Resource) -> str:
    """Return a text to the letter."""
    for one in answer.get("_valueString", {}).get("extension", ()):
        if one["url"] == own.EXACT:
            return base64.b64decode(one["valueBase64Binary"], validate=True).decode()
    return str(answer["valueString"])


def _answers(group: Resource) -> dict[str, Any]:
    return {item["linkId"]: _value(item) for item in group.get("item", ())}


def _decimal(value: Any) -> Any:
    """Return a typed-in total as it was stored: FHIR writes 10.0 as 10. Only a whole number is changed."""
    return float(value) if type(value) is int else value


def _value(item: Resource) -> Any:
    """Return the one answer, whatever type it has; None where the question was skipped."""
    if "answer" not in item:
        return None
    ((kind, value),) = item["answer"][0].items()
    return value["code"] if kind == "valueCoding" else value
