"""Forms as the patient filled them in, with the answers that no facade gives.

Note and tags are answers of the diary's form. A question of a scale that was skipped stands there without
an answer, and so does a note that was left empty; a total that was typed in is one, and `basedOn` names
the check-in that the scale answers. The moment has the offset of its zone, as the facade gives it; the one
it was said with stands beside it.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from server.fhir import questionnaire_response
from server.fhir.codes import number, words
from server.fhir.identifiers import Resource
from server.fhir.own import codes, moments
from server.fhir.own.codes import extension
from server.fhir.reported import Entry, Filled


def of_entry(entry: Entry, content: Mapping[str, Any] | None) -> Resource:
    """Return an entry with all of its ``content``; None where it was taken back."""
    form, said = questionnaire_response.of_entry(entry), content or {}
    items = [_began(item, said.get("side_effect_onset", {})) for item in form.get("item", ())]
    return _said_at(_with(form, [*items, *_words(said)]), said)


def of_filled(filled: Filled, content: Mapping[str, Any] | None) -> Resource:
    """Return a filled scale with all of its ``content``; None where it was taken back."""
    form = questionnaire_response.of_filled(filled)
    answered = {item["linkId"]: item for item in form.get("item", ())}
    items = [answered.get(key, {"linkId": key}) for key in filled.answers]
    said = content or {}
    if (total := said.get("total")) is not None:
        items.append(_item(codes.TOTAL, {"valueDecimal": number(total)}))
    return _said_at(_with(form, items), said) | _based_on(said.get("occurrence"))


def _with(form: Resource, items: list[Resource]) -> Resource:
    return {**form, "item": items} if items else form


def _said_at(form: Resource, content: Mapping[str, Any]) -> Resource:
    if (said := content.get("occurred_at")) is None:
        return form
    beside = [*form["_authored"]["extension"], moments.offset_of(said)]
    return form | {"_authored": {"extension": beside}}


def _began(item: Resource, onset: Mapping[str, str]) -> Resource:
    """Return side effects with the offset beside each onset that can't be written as it was said."""
    if item["linkId"] == "side_effects":
        return item | {"item": [_began(one, onset) for one in item["item"]]}
    said = onset.get(item["linkId"].removeprefix("side_effect_onset."))
    if said is None or moments.writable(said) == said:
        return item
    beside = {"_valueDateTime": {"extension": [moments.offset_of(said)]}}
    return item | {"answer": [answer | beside for answer in item["answer"]]}


def _words(content: Mapping[str, Any]) -> Iterator[Resource]:
    if tags := content.get("tags"):
        yield _item(codes.TAGS, *map(_text, tags))
    if (note := content.get("note")) is not None:
        # FHIR has no empty text, not even in base64.
        yield _item(codes.NOTE, _text(note)) if note else {"linkId": codes.NOTE}


def _text(said: str) -> Resource:
    """Return a text as an answer: readable for everybody, and to the letter beside it where it must be."""
    plain = words(said)
    # FHIR has no text of blanks alone.
    readable = {"valueString": plain} if plain.strip() else {}
    if plain == said and readable:
        return readable
    exact = extension(codes.EXACT, valueBase64Binary=base64.b64encode(said.encode()).decode())
    return readable | {"_valueString": {"extension": [exact]}}


def _based_on(occurrence: str | None) -> Resource:
    if occurrence is None:
        return {}
    named = {"system": codes.CHECK_IN, "value": occurrence}
    return {"basedOn": [{"type": "ServiceRequest", "identifier": named}]}


def _item(link: str, *answers: Resource) -> Resource:
    return {"linkId": link, "answer": list(answers)}
