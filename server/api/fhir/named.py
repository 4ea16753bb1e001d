"""Whom and what a search names by identifiers of ours."""

from collections.abc import Sequence
from uuid import UUID

from schemas.fhir.search import Token
from server.fhir import ids


def named(tokens: Sequence[Token] | None, system: str) -> set[UUID] | None:
    """Return the ids that ``tokens`` name in ``system``; None where any will do.

    `system|` alone means whatever has an identifier there: of ours, each one.
    """
    if tokens is None or Token(system, None) in tokens:
        return None
    ours = (token.code or "" for token in tokens if token.system in (None, system))
    return {found for found in map(ids.read_uuid, ours) if found is not None}
