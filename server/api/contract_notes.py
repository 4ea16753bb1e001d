"""What views say of themselves in the contract beside their arguments and answers."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def also(*kinds: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say in the contract which media types a view answers with beside JSON."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"x-also": list(kinds)})

    return decorate


def with_doc(view: Callable[P, R], parts: dict[str, Any]) -> Callable[P, R]:
    """Add ``parts`` to what the contract says of a view."""
    doc = getattr(view, "_apidoc", {})
    # What it wraps may show the same: that one stays as it is.
    view._apidoc = {**doc, "manual_doc": {**doc.get("manual_doc", {}), **parts}}  # type: ignore[attr-defined]
    return view


def operation_id(view: str, facade: str = "") -> str:
    """Return the name that clients call the view named ``view`` by: `put_entry` is `putEntry`.

    ``facade``: which of two ways to the same thing it is, where there are two; it stands behind the verb.
    """
    verb, *words = view.split("_")
    named = [word for word in (facade, *words) if word]
    return verb + "".join(word.capitalize() for word in dict.fromkeys(named))


def documented_headers(*names: str) -> dict[str, Any]:
    """Return the response headers ``names`` for the contract."""
    return {name: {"schema": {"type": "string"}} for name in names}
