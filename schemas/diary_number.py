"""The numbers of a diary: whole ones, but for what an import brought."""

from math import inf
from typing import Any

from marshmallow import ValidationError

from schemas.fields import Decimal


class WholeOrStored(Decimal):
    """A whole JSON number inside its bounds; or a fraction, which stands in an imported entry alone.

    Whether it stands there, the journal says: whoever corrects something else sends it back as it is.
    """

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Take a whole number inside its bounds at once: nearly all there is of a diary."""
        low, high = self._bounds
        if type(value) is int and low <= value <= high:
            return value
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        # Compared, which no whole number is too long for: how large it may be is asked next.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < inf:
            raise ValidationError("Must be a whole number.")
        return int(value) if value == value // 1 else value
