"""QuestionnaireResponses: an entry and a scale as they were filled in, amended or taken back.

An entry's free texts (note, tags) are left out: they are written for the care team, and once copied into
another system nobody can take them back (docs/fhir.md).
"""

from collections.abc import Iterator

from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.fhir import codes
from server.fhir.codes import coding, number
from server.fhir.identifiers import Resource
from server.fhir.reported import (
    Entry,
    Filled,
    Reported,
    author,
    doubts,
    felt,
    id_of,
    meta,
    patient,
    with_caregiver,
)


def of_entry(entry: Entry) -> Resource:
    """Return an entry as it was filled in."""
    return _response(entry, codes.DIARY_FORM, list(_diary(entry)))


def of_filled(filled: Filled) -> Resource:
    """Return a scale as it was filled in; a total that was typed in has no answers."""
    form = f"{codes.QUESTIONNAIRE}:{filled.instrument}|{filled.instrument_version}"
    answered = ((key, value) for key, value in filled.answers.items() if value is not None)
    items = [_item(key, {"valueInteger": value}) for key, value in answered]
    return _response(filled, form, items) | {"language": filled.locale}


def _response(reported: Reported, form: str, items: list[Resource]) -> Resource:
    who = author(reported)
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": id_of(reported),
        "meta": meta(reported),
        "identifier": {"system": codes.URI, "value": f"urn:uuid:{reported.id}"},
        "questionnaire": form,
        "status": _status(reported),
        "subject": patient(reported.patient_id),
        "authored": felt(reported),
        "_authored": {"extension": [{"url": codes.ZONE, "valueCode": reported.zone}, *doubts(reported)]},
        **({} if who is None else {"author": who, "source": patient(reported.patient_id)}),
        **({"item": items} if items else {}),
    }
    return with_caregiver(made, reported)


def _status(reported: Reported) -> str:
    if reported.deleted_at is not None:
        return "entered-in-error"
    return "completed" if reported.version == 1 else "amended"


def _diary(entry: Entry) -> Iterator[Resource]:
    for key, value in entry.items.items():
        yield _item(key, {"valueDecimal": number(value)})
    if entry.side_effects:
        yield {"linkId": "side_effects", "item": list(_side_effects(entry))}
    if entry.safety is not None:
        yield _item("safety", {"valueCoding": coding(codes.SAFETY, entry.safety.value)})
    if entry.medication:
        yield {"linkId": "medication", "item": list(_medication(entry))}
    if entry.circumstances:
        told = [{"valueCoding": coding(codes.CIRCUMSTANCE, str(one))} for one in entry.circumstances]
        yield _item("circumstances", *told)


def _side_effects(entry: Entry) -> Iterator[Resource]:
    for term, grade in entry.side_effects.items():
        item = _item(f"side_effects.{term}", {"valueInteger": grade})
        yield item | {"text": SIDE_EFFECTS[term].label}
        if (began := entry.side_effect_onset.get(term)) is not None:
            yield _item(f"side_effect_onset.{term}", {"valueDateTime": began})


def _medication(entry: Entry) -> Iterator[Resource]:
    for key, value in entry.medication.items():
        if isinstance(value, bool):
            answer: Resource = {"valueBoolean": value}
        elif isinstance(value, int):
            answer = {"valueInteger": value}
        else:
            answer = {"valueCoding": coding(codes.ADHERENCE, str(value))}
        yield _item(f"medication.{key}", answer)


def _item(link: str, *answers: Resource) -> Resource:
    return {"linkId": link, "answer": list(answers)}
