"""How the facade is spoken with: its media types, its strictness, where it lies."""

from collections.abc import Mapping
from typing import Any

from flask import Request, g, request
from marshmallow import INCLUDE, Schema
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import BadRequest, NotAcceptable
from werkzeug.http import parse_options_header

from schemas.fhir.resource import named_shape
from schemas.fhir.search import FORMATS, LINES
from server.api.body import Blueprint, Decorator, GuardedParser

ROOT = "/fhir/R4"
FHIR, NDJSON = "application/fhir+json", "application/fhir+ndjson"
_TAKEN = (FHIR, "application/json")
R4 = "4.0"
_R4 = (R4, "4.0.1")
# What a client may name in `_format` or `Accept`, and what it gets.
_FORMATS, _LINES = dict.fromkeys(FORMATS, FHIR), dict.fromkeys(LINES, NDJSON)


class FhirParser(GuardedParser):
    """The same guard, for FHIR's media type; `Prefer: handling=lenient` passes over unknown parameters."""

    JSON_TYPES = _TAKEN

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Return the query. Only what may be said several times (dates) is taken several times."""
        said = req.args.copy()
        if "handling=lenient" in req.headers.get("Prefer", "").replace(" ", ""):
            g.passed_over = said.keys() - {field.data_key or name for name, field in schema.fields.items()}
            for name in g.passed_over:
                del said[name]
        known = MultiDictProxy(said, schema)
        twice = [n for n, values in said.lists() if len(values) > 1 and n not in known.multiple_keys]
        if twice:
            raise BadRequest(f"The query names {sorted(twice)[0][:64]} more than once.")
        return known


class FhirBlueprint(Blueprint):
    """A blueprint of the facade."""

    ARGUMENTS_PARSER = FhirParser()
    FACADE = "fhir"

    def __init__(self, name: str, description: str) -> None:
        super().__init__(f"fhir_{name}", __name__, description=description)
        self.before_request(kind_asked_for)

    def takes(self, schema: type[Schema]) -> Decorator:
        """Pass the resource in the body as the view's first argument.

        A whole resource comes in; what is not needed of it is not looked at.
        """
        return self.arguments(schema, content_type=FHIR, unknown=INCLUDE)

    def gives(self, kind: str, *, headers: Mapping[str, Any] | None = None) -> Decorator:
        """Say that the view answers with a resource of ``kind``."""
        return self.response(200, named_shape(kind), content_type=FHIR, headers=headers)


def kind_asked_for() -> str | None:
    """Refuse (406) who takes nothing that we have; in a request's way this answers nothing."""
    kind_of_answer()
    return None


def kind_of_answer() -> str:
    """Return the media type that is asked for: `_format` before `Accept`, as FHIR has it."""
    known = {**_FORMATS, **(_LINES if request.path.endswith("$everything") else {})}
    named = request.args.get("_format")
    if named is not None:
        # An unencoded plus sign arrives as a blank.
        found = known.get(named.replace(" ", "+"))
    else:
        wanted = _accepted()
        types = [one for one in known if "/" in one]
        found = known.get(str(wanted.best_match(types, default=""))) if request.accept_mimetypes else FHIR
    if found is None:
        raise NotAcceptable("This service speaks application/fhir+json.")
    return found


def _accepted() -> MIMEAccept:
    """Return what `Accept` names in our version of FHIR; what else is said of a kind changes nothing."""
    named = [(*parse_options_header(kind), quality) for kind, quality in request.accept_mimetypes]
    return MIMEAccept([(kind, q) for kind, said, q in named if said.get("fhirversion", R4) in _R4])
