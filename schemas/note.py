"""What a patient writes at length."""

from typing import Any

from schemas import spelling
from schemas.fields import Text
from server.clinical import plain_text


class Note(Text):
    """Text of any lines. What no text may hold is left out: nobody sees it, and it would keep the entry out.

    It comes from a page or a word processor, or is half of a character where a text was cut.
    """

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(longest=longest, lines=True, **kwargs)
        self.spelled = spelling.NOTE

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = plain_text.mended_lines(value) if isinstance(value, str) else value
        return super()._deserialize(text, attr, data, **kwargs)
