"""What can still be read of a body that is refused, for what it says about danger. Nothing of it is stored.

A number that is none, a name twice, a mark before the first character, bytes that are no text, another
content type, more than a body may have: none of it makes an answer about suicide less true.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException

from server.api.body import MOST_DRAINED, is_deeper

# Ours are four deep at the most; reading and writing a value need the stack.
_DEEPEST = 100
# A whole number of more digits answers nothing, and takes long to read.
_LONGEST = 100
Pairs = Sequence[tuple[str, Any]]


def readings() -> Iterator[Any]:
    """Yield the values that the request's body can be read as: two, where it names a member twice."""
    text = _text()
    first = _loaded(text, lambda pairs: dict(reversed(pairs)))
    last = _loaded(text, dict)
    if first is not None:
        yield first
    if last != first:
        yield last


def _text() -> str:
    # It is read up to here anyway, for the next request on its connection.
    request.max_content_length = MOST_DRAINED
    try:
        data = request.get_data()
    except HTTPException:  # larger than that, or it did not come as a whole
        return ""
    return data.decode(json.detect_encoding(data), errors="replace")


def _loaded(text: str, members: Callable[[Pairs], dict[str, Any]]) -> Any:
    if is_deeper(text.encode(errors="replace"), _DEEPEST):
        return None
    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=_nothing, parse_int=_whole)
    except ValueError:
        return None


def _nothing(_name: str) -> None:
    return None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST else None
