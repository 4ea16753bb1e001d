"""What the clock of a phone shows, right or wrong."""

from datetime import datetime
from typing import Any

from schemas import spelling
from schemas.fields import Moment
from schemas.spelling import BEYOND_MOMENTS, FIRST_MOMENT


class PhoneClock(Moment):
    """What a phone's clock shows: outside the moments there are, it is the first or the last of them.

    It says how far the clock is off, and no clock is so far off that what is sent with it may be lost.
    """

    spelled = spelling.PHONE_CLOCK

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        return min(max(self._read(value), FIRST_MOMENT), BEYOND_MOMENTS - datetime.resolution)
