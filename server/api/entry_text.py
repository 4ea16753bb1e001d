"""Pages of entries as an answer: the text of each line is joined, and nothing is taken apart on the way.

One entry is answered by its schema (`schemas.entry`); that both say the same is a test's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema

from schemas.entry import EntryAnswer, OwnEntryAnswer
from server.api.answer_json import text_of
from server.services.journal.entry_page import EMPTY, NAMES, OPENED, EntryLine

_SEEN = "seen_by_team_at"
_NULL, _NONE = "null", "[]"
_DETAILS = NAMES.index("side_effect_details")
_WORDED = EntryAnswer().dump_fields[NAMES[_DETAILS]]
_EMPTY = tuple(map(text_of, EMPTY))


def _template(shape: type[Schema], *more: str) -> str:
    names = (*NAMES, *OPENED, *more)
    assert {*names} == {*shape().dump_fields}, "a line tells what its schema says"
    return "{{{}}}".format(",".join(f'"{name}":%s' for name in names))


_TEAM, _OWN = _template(EntryAnswer), _template(OwnEntryAnswer, _SEEN)


def own_page(page: Mapping[str, Any], seen: Mapping[UUID, datetime]) -> Response:
    """Answer a patient's ``page`` (`paging.paged`); ``seen``: when the team first saw entries, by id."""
    if not seen:
        return _page(page, [_OWN % (*_members(line), _NULL) for line in page["items"]])
    moments = (text_of(seen.get(line.id)) for line in page["items"])
    return _page(
        page, [_OWN % (*_members(line), at) for line, at in zip(page["items"], moments, strict=True)]
    )


def team_page(page: Mapping[str, Any]) -> Response:
    """Answer a ``page`` as the care team reads it."""
    return _page(page, [_TEAM % _members(line) for line in page["items"]])


def _page(page: Mapping[str, Any], lines: Iterable[str]) -> Response:
    text = f'{{"items":[{",".join(lines)}],"next_cursor":{text_of(page["next_cursor"])}}}\n'
    return Response(text, mimetype="application/json")


def _members(line: EntryLine) -> Sequence[str]:
    told = line.spelled
    if told[_DETAILS] != _NONE:
        worded = text_of(_WORDED.serialize(NAMES[_DETAILS], line))
        told = (*told[:_DETAILS], worded, *told[_DETAILS + 1 :])
    return (*told, *(_EMPTY if line.opened is EMPTY else map(text_of, line.opened)))
