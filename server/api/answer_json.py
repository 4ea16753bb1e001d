"""Answers as JSON, written by orjson: several times as fast as the standard library on a page of entries."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import DefaultJSONProvider

# Members are sorted, as Flask's own provider does.
_OPTIONS = orjson.OPT_SORT_KEYS


class AnswerJson(DefaultJSONProvider):
    """Flask's own provider, but for how an answer is written. Bodies are read by `server.api.body`."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return ``args`` or ``kwargs`` as an answer."""
        return Response(written(self._prepare_response_obj(args, kwargs)), mimetype=self.mimetype)


def written(answer: Any) -> bytes:
    """Return ``answer`` as a line of JSON."""
    try:
        return orjson.dumps(answer, option=_OPTIONS | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # Counters may be keyed by codes of the vocabulary, which are text in all but type: rare, and slower.
        return orjson.dumps(answer, option=_OPTIONS | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
