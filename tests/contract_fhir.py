"""What Ana sees of her journal through the FHIR facade, for the contract."""

from collections.abc import Callable
from typing import Any

FHIR = "/fhir/R4"


def play(ask: Callable[..., Any], ana: str) -> None:
    """Read what the facade can do."""
    ask(None, f"get {FHIR}/metadata")
