"""What a version says, so that two forms of it can be compared."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any


def meaning(content: Mapping[str, Any] | None, unsaid: Collection[str] = ()) -> Mapping[str, Any] | None:
    """Return ``content`` without what says nothing and without members that are ``unsaid``.

    A moment is the same with any offset; what is null, empty or not there was not answered.
    """
    if content is None:
        return None
    return {key: _meant(key, value) for key, value in content.items() if key not in unsaid and _says(value)}


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _meant(key: str, value: Any) -> Any:
    if key == "occurred_at":
        return datetime.fromisoformat(value)
    if key == "side_effect_onset":
        return {term: datetime.fromisoformat(at) for term, at in value.items()}
    if key == "answers":
        return {item: answer for item, answer in value.items() if answer is not None}
    return value
