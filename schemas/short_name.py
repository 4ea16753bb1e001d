"""A clinic's short name, as people type it."""

from typing import Any

from schemas.fields import Text

LONGEST = 64
_SAYS = "the clinic's short name; capitals, and blanks around it, make no difference"


class ShortName(Text):
    """A clinic's short name in lower case and without the blanks around it.

    Telephones write the first letter large and end a word with a blank; to whoever then fails nobody says
    why. All there are is ASCII: what is anything else stays as it is, and names no clinic.
    """

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"example": "demo", "description": _SAYS}
        super().__init__(longest=LONGEST, shortest=1, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        return text.strip().lower() if text.isascii() and len(text) <= LONGEST else text
