"""`Idempotency-Key`: a request that makes something may be sent again, where its answer was lost.

As the draft of the IETF has it (draft-ietf-httpapi-idempotency-key-header), but for one thing: whoever sends
it again while the first is worked on is not refused, and waits for the answer.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from typing import Any, ParamSpec
from uuid import UUID

from flask import Response, current_app, g, request

from server.api.body import whole
from server.api.contract_notes import with_doc
from server.api.edge import actor, writing
from server.api.refusals import HeaderProblem
from server.services import kept_answer as kept_answers
from server.services.kept_answer import Asked, Said
from server.services.work import Work

P = ParamSpec("P")
View = Callable[P, Any]
CheckAgain = Callable[[Work, UUID], None]
HEADER = "Idempotency-Key"
_BARE = "[A-Za-z0-9._~:-]{8,100}"
# The draft writes it as a string of structured fields, most clients without quotes.
PATTERN = f'^(?:{_BARE}|"{_BARE}")$'
_KEY = re.compile(PATTERN)
_HEADERS = ("ETag", "Location")


def once(
    makes_patient: bool = False, of_leaving: bool = False, check_again: CheckAgain | None = None
) -> Callable[[View[P]], View[P]]:
    """Let a view that makes something do it once for each key that its client gives it.

    Goes right above the arguments. ``makes_patient``: the id in its answer is a patient's. ``of_leaving``: it
    is done for a patient who leaves too. ``check_again``: raises what keeps who asks from being told again.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def kept(*args: P.args, **kwargs: P.kwargs) -> Any:
            asked = _asked()
            if asked is None:
                return view(*args, **kwargs)
            with _together() as work:
                said = kept_answers.take(work, asked, of_leaving)
                if said is not None:
                    _check(check_again, work, kwargs)
                    return _again(said)
                answer = current_app.make_response(view(*args, **kwargs))
                kept_answers.keep(work, asked, _said(answer), _whom(kwargs, answer, makes_patient))
            return answer

        return with_doc(kept, {"x-once": True})

    return decorate


def parameter() -> dict[str, Any]:
    """Return what the contract says of the header."""
    return {
        "in": "header",
        "name": HEADER,
        "required": False,
        "description": (
            "made up by you (a UUID, say), new for each thing to be made: where no answer comes, send the "
            "very same with the same key within 24 hours, and you get the answer of the first time"
        ),
        "schema": {"type": "string", "pattern": PATTERN},
    }


def _asked() -> Asked | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if _KEY.fullmatch(key.strip()) is None:
        raise HeaderProblem(HEADER, "Must be 8 to 100 letters, digits or any of ._~:-, in quotes or without.")
    body = sha256(whole(request)).hexdigest()
    return Asked(key.strip().strip('"'), f"{request.method} {request.full_path} {body}")


@contextmanager
def _together() -> Iterator[Work]:
    """Open the transaction in which the view writes, and what is answered is kept."""
    with writing() as work:
        g.joined = work
        try:
            yield work
        finally:
            del g.joined


def _check(again: CheckAgain | None, work: Work, ids: Mapping[str, Any]) -> None:
    if again is not None:
        again(work, ids["patient_id"])


def _said(answer: Response) -> Said:
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    return Said(answer.status_code, answer.get_data(as_text=True), headers)


def _again(said: Said) -> Response:
    return Response(said.body, said.status, said.headers, content_type="application/json")


def _whom(ids: Mapping[str, Any], answer: Response, makes_patient: bool) -> UUID | None:
    """Return the patient whom an answer is about, who takes it along when they are erased."""
    if makes_patient:
        return UUID(answer.get_json()["id"])
    found: UUID | None = ids.get("patient_id") or actor().patient_id
    return found
