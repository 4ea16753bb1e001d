"""Observations: one for each number of an entry, one for each side effect, and the scores of a filled scale.

What was not answered is not there: a missed day and an unanswered item export nothing, and nobody guesses.
"""

from collections.abc import Iterator

from server.clinical.instruments.catalog import edition_of
from server.clinical.instruments.instrument import Instrument, Item, Method
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS
from server.fhir import codes
from server.fhir.codes import coding, concept, instant, named, quantity
from server.fhir.identifiers import Resource
from server.fhir.numbers import FIRST_ITEM, ITEM_NUMBERS, SCORES, SIDE_EFFECT_NUMBERS
from server.fhir.reported import (
    Entry,
    Filled,
    Reported,
    author,
    doubted,
    felt,
    id_of,
    meta,
    patient,
    response_of,
    with_caregiver,
)

# FHIR has no finding "not pro-rated": only what was is said.
_PRORATED = {"text": "Pro-rated: some answers are missing"}


def of_entry(entry: Entry) -> Iterator[Resource]:
    """Yield what an entry says in numbers, in the order of their ids."""
    for key in sorted(entry.items, key=ITEM_NUMBERS.__getitem__):
        value: Resource = {"valueQuantity": quantity(entry.items[key], ITEMS[key].unit)}
        yield _observation(entry, ITEM_NUMBERS[key], _item_code(key), value)
    for term in sorted(entry.side_effects, key=SIDE_EFFECT_NUMBERS.__getitem__):
        finding = concept(coding(codes.SIDE_EFFECT, term), text=SIDE_EFFECTS[term].label)
        value = {"valueInteger": entry.side_effects[term]} | _onset(entry, term)
        yield _observation(entry, SIDE_EFFECT_NUMBERS[term], finding, value)


def of_filled(filled: Filled) -> Iterator[Resource]:
    """Yield the score of a filled scale, and each answer of it that cannot wait (PHQ-9's item 9)."""
    if filled.deleted_at is not None:
        return
    made = edition_of(filled.instrument, filled.instrument_version, filled.locale)
    score = _score(filled)
    if score:
        yield _observation(filled, SCORES, _scale_code(made), score)
    for place, item in enumerate(made.items):
        answer = filled.answers.get(item.id)
        if item.id in made.safety_from and answer is not None:
            value = {"valueQuantity": quantity(answer)}
            yield _observation(filled, FIRST_ITEM + place, _answer_code(made, item), value)


def _observation(reported: Reported, place: int, code: Resource, value: Resource) -> Resource:
    who = author(reported)
    made = {
        "resourceType": "Observation",
        "id": id_of(reported, place),
        "meta": meta(reported),
        "status": "final" if reported.version == 1 else "amended",
        "category": [codes.SURVEY],
        "code": code,
        "subject": patient(reported.patient_id),
        "effectiveDateTime": felt(reported),
        **doubted("effectiveDateTime", reported),
        "issued": instant(reported.received_at),
        **({} if who is None else {"performer": [who]}),
        **value,
        "derivedFrom": [response_of(reported)],
    }
    return with_caregiver(made, reported)


def _item_code(key: str) -> Resource:
    standard = codes.ITEM_LOINC.get(key)
    known = [] if standard is None else [coding(codes.LOINC, *standard)]
    return concept(coding(codes.ITEM, key), *known, text=named(key))


def _onset(entry: Entry, term: str) -> Resource:
    began = entry.side_effect_onset.get(term)
    if began is None:
        return {}
    code = concept(coding(codes.ONSET, "onset"), text="Began")
    return {"component": [{"code": code, "valueDateTime": began}]}


def _score(filled: Filled) -> Resource:
    """Return total and subscores; nothing where too much was missing to make any."""
    parts = [
        {
            "code": concept(coding(codes.SUBSCORE, f"{filled.instrument}.{key}"), text=named(key)),
            "valueQuantity": quantity(value),
        }
        for key, value in filled.subscores.items()
        if value is not None
    ]
    made: Resource = {} if filled.total is None else {"valueQuantity": quantity(filled.total)}
    made |= {"component": parts} if parts else {}
    return made | ({"method": _PRORATED} if made and filled.prorated else {})


def _scale_code(made: Instrument) -> Resource:
    # A panel's code is no code of a score: without a total there is none.
    has_total = made.loinc.total is not None and made.scoring.method is not Method.PROFILE
    known = [coding(codes.LOINC, str(made.loinc.total))] if has_total else []
    return concept(coding(codes.SCALE, made.key), *known, text=made.title)


def _answer_code(made: Instrument, item: Item) -> Resource:
    known = [] if item.loinc is None else [coding(codes.LOINC, item.loinc)]
    return concept(coding(codes.SCALE_ITEM, f"{made.key}.{item.id}"), *known, text=f"{made.title}, {item.id}")
