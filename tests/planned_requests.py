"""Requests that are planned from the contract, none by chance: its examples, and what lies beyond each bound.

Only among these are a header that is missing, a method that an address does not have, and OPTIONS. They are
sent as one role an operation; the exhaustive profile sends them as every role, and values at each bound too.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.drivers import CoverageGenerator, ExamplesGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.meta import CoverageScenario, coverage_scenario
from schemathesis.generation.overrides import Override

from tests.cast import Person
from tests.random_requests import CHECKS, MODES, PROFILE, checks_of

IS_ALL = PROFILE == "exhaustive"
# What these three ask about, by the names of the checks that judge it.
HEADER, METHOD, ALLOW = "missing_required_header", "unsupported_method", "allow_header_conformance"
_PROBES = {
    CoverageScenario.MISSING_PARAMETER,
    CoverageScenario.UNSPECIFIED_HTTP_METHOD,
    CoverageScenario.MALFORMED_CONTENT_TYPE,
    CoverageScenario.UNSUPPORTED_CONTENT_TYPE,
}
# To find all that fits the patterns of a passkey's credential takes the tool minutes: of these only what does
# not fit is sent.
_LONG = {
    "POST /v1/me/factors/passkeys",
    "POST /v1/sign-ins/second-factor",
    "POST /v1/sign-ins/step-up",
}


def send_planned(operation: Any, person: Person, ids: dict[str, str]) -> Counter[str | int]:
    """Send what is planned for ``operation``; return how often each status came, and each check had a say.

    ``ids``: parameters of its path that exist. What is refused anyway is asked of these: of what is made up
    a 404 would say nothing.
    """
    told: Counter[str | int] = Counter()
    for case in _planned(operation):
        known = case.path_parameters or {}
        if coverage_scenario(case) in _PROBES:
            known.update({name: ids[name] for name in ids.keys() & known.keys()})
        headers = {} if _lacks(case, "authorization") else {"Authorization": f"Bearer {person.token}"}
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=checks_of(case), headers=headers)
        told.update([answer.status_code, *_judged(case, answer)])
    return told


def complaints(operation: Any) -> set[str]:
    """Return the names of the checks that find something in the answers of ``operation``, open to all."""
    found = set()
    for case, check in product(list(_planned(operation)), CHECKS):
        try:
            case.validate_response(case.call(), checks=[check])
        except FailureGroup:
            found.add(check.__name__)
    return found


def _planned(operation: Any) -> Iterator[Any]:
    common = {"operation": operation, "override": Override(), "feedback": NO_FEEDBACK}
    yield from ExamplesGenerator(**common, fill_missing=False)
    # Else the methods that an address lacks would be tried once for all who may come there.
    operation.schema.coverage_unexpected_methods_seen.clear()
    covering = CoverageGenerator(
        **common,
        generation_modes=_modes(operation),
        generation_config=operation.schema.config.generation,
        auth_storage=None,
    )
    yield from (case for case in covering if IS_ALL or coverage_scenario(case) in _PROBES)


def _modes(operation: Any) -> list[GenerationMode]:
    """Return what is planned of ``operation``.

    A probe asks about one thing: all else in its query and headers has to fit. Its body may be anything, and
    to plan bodies that fit, which the everyday suite does not send, takes most of the time.
    """
    is_of_use = IS_ALL or not operation.body
    return MODES if is_of_use and operation.label not in _LONG else [GenerationMode.NEGATIVE]


def _lacks(case: Any, header: str) -> bool:
    data = case.meta.phase.data
    is_missing = coverage_scenario(case) is CoverageScenario.MISSING_PARAMETER
    return is_missing and data.parameter_location == "header" and data.parameter.lower() == header


def _judged(case: Any, answer: Any) -> Iterator[str]:
    # As the checks themselves do: after a 404 they say nothing.
    data = case.meta.phase.data
    if case.method == "OPTIONS" and "allow" in answer.headers:
        yield ALLOW
    elif coverage_scenario(case) is CoverageScenario.UNSPECIFIED_HTTP_METHOD and answer.status_code == 405:
        yield METHOD
    elif data.parameter and _lacks(case, data.parameter.lower()) and answer.status_code != 404:
        yield HEADER
