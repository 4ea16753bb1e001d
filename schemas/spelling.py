"""How values are spelled on the wire: said once, for validation and for the contract.

A pattern is written so that ECMAScript, Python and Rust read it alike. What no pattern can say (that a day
is in the calendar, that a zone exists) the words say and the field checks.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, validate

from server.clinical.countries import countries
from server.clinical.plain_text import ADDRESS, BARRED, BARRED_IN_LINES, OVERRIDES, SPACES, UNSEEN


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write values, named in the contract; ``pattern`` begins with ^ and ends with $."""

    name: str
    pattern: str | None
    says: str
    format: str | None = None
    example: str | None = None
    known: tuple[str, ...] = ()  # all that there is, where the contract can name it
    _whole: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_whole", re.compile(self.pattern or "", re.ASCII))

    def fits(self, text: str) -> bool:
        """Return whether ``text`` is written like this from its first character to its last."""
        return self._whole.fullmatch(text) is not None

    def schema(self) -> dict[str, Any]:
        """Return it as the contract shows it."""
        said = {"format": self.format, "pattern": self.pattern, "example": self.example}
        known: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
        if self.known:
            known["enum"] = list(self.known)
        return {"type": "string", "description": self.says, **known}


_IN_LINES = rf"(?:[^{BARRED_IN_LINES}]|\r\n)*"
_YEAR = re.compile("[0-9]{4}")
NAME = "^[A-Za-z0-9_.-]{1,64}$"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_NORMAL = "Kept in Unicode's form NFC, in which its length counts"
LINE = Spelling("Line", f"^[^{BARRED}]*$", f"One line of text, without control characters. {_NORMAL}.")
WORDS = Spelling(
    "Words",
    f"^[^{BARRED}]*[^{BARRED}{SPACES}{UNSEEN}][^{BARRED}]*$",
    f"One line of text, without control characters, in which something can be seen. {_NORMAL}.",
)
LINES = Spelling(
    "Lines",
    f"^{_IN_LINES}$",
    "Text of any lines; of control characters only line feed, tab and CR LF, which becomes a line feed. "
    f"What overrides the direction of writing is left out. {_NORMAL}.",
)
NOTE = Spelling(
    "Note",
    r"^[\s\S]*$",
    "Text of any lines. Control characters, what is no character and what overrides the direction of writing "
    f"are left out, or become the line feed they stand for. {_NORMAL}.",
)
REASON = Spelling(
    "Reason",
    rf"^{_IN_LINES}[^\n\t{BARRED_IN_LINES}{SPACES}{OVERRIDES}]{_IN_LINES}$",
    f"Text of any lines as `Lines`, and not only blanks. {_NORMAL}.",
)
YEAR_OF_MOMENT, YEAR_OF_DAY = "(19[7-9][0-9]|2[01][0-9][0-9]|2200)", "(19[0-9][0-9]|2[01][0-9][0-9]|2200)"
HOUR, SIXTY = "([01][0-9]|2[0-3])", "[0-5][0-9]"
MONTH, DAY_OF_MONTH = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_IN_YEAR = f"-{MONTH}-{DAY_OF_MONTH}"
# Six digits of a second at the most: more could not be kept, and cutting them would change the value.
_OF_DAY = rf"{HOUR}:{SIXTY}:{SIXTY}(\.[0-9]{{1,6}})?([Zz]|[+-]{HOUR}:{SIXTY})"
# In UTC, so that what is taken in one zone can be told in any other. A clock that was reset to 1970 shows the
# evening before in the Americas; whether that is 1970 yet, no pattern can work out, and the field does.
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
BEYOND_MOMENTS = datetime(2201, 1, 1, tzinfo=UTC)
MOMENT = Spelling(
    "Moment",
    rf"^({YEAR_OF_MOMENT}{_IN_YEAR}|1969-12-31|2201-01-01)[Tt]{_OF_DAY}$",
    "A moment of RFC 3339 with its offset, to the microsecond at the most. In UTC it is of the years 1970 to"
    " 2200; a local date may lie a day beyond.",
    "date-time",
    "2026-03-02T10:00:00+01:00",
)
PHONE_CLOCK = Spelling(
    "PhoneClock",
    rf"^(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{{2}}|[1-9][0-9]{{3}}){_IN_YEAR}[Tt]{_OF_DAY}$",
    "What the clock of a phone shows, as a moment of RFC 3339 with its offset, to the microsecond at most."
    " Of any year: before 1970 it counts as the first moment of 1970, after 2200 as the last of 2200 (UTC).",
    "date-time",
    "2026-03-02T10:00:00+01:00",
)
# With the day after, as with moments: east of Greenwich the last hours of 2200 belong to it.
DAY = Spelling(
    "Day",
    f"^({YEAR_OF_DAY}{_IN_YEAR}|2201-01-01)$",
    "A civil day of the years 1900 to 2200, or the day after them, in which some zones are by then.",
    "date",
    "2026-03-02",
)
CIVIL_TIME = Spelling(
    "CivilTime",
    f"^{YEAR_OF_MOMENT}{_IN_YEAR}T{HOUR}:{SIXTY}(:00)?$",
    "A civil date and time to the minute and without an offset, of the years 1970 to 2200.",
    "local-date-time",
    "2026-03-06T18:00",
)
TIME_OF_DAY = Spelling(
    "TimeOfDay",
    f"^{HOUR}:{SIXTY}$",
    "A civil time of day, HH:MM, without seconds and without a zone.",
    example="20:00",
)
ZONE = Spelling("Zone", None, "An IANA time zone.", "time-zone", "Europe/Oslo")
COUNTRY = Spelling(
    "Country",
    None,
    "An ISO 3166 country code of two capital letters that is given out.",
    example="NO",
    known=tuple(sorted(countries())),
)
# Without the format `email`, which is narrower.
EMAIL = Spelling(
    "Email",
    f"^{ADDRESS}$",
    "An e-mail address in ASCII characters; kept in lower case.",
    example="ana@demo.example",
)
_AN_ID = "019caae3-5000-7000-8000-000000000001"
ID = Spelling("Id", f"^{UUID}$", "A UUID in its usual form, in lower case.", "uuid", _AN_ID)
ID7 = Spelling("Id7", f"^{UUID7}$", "A UUIDv7 in lower case: the id a phone makes.", "uuid", _AN_ID)


def refusal(spelled: Spelling, value: Any, what: str) -> str:
    """Say what is wrong with a day or moment: the year alone, or that it is none."""
    if isinstance(value, str) and _YEAR.match(value) and spelled.fits(f"2000{value[4:]}"):
        return f"Must be between {1900 if spelled is DAY else 1970} and 2200."
    return f"Must be {what}."


class Fully(validate.Regexp):
    """A pattern that begins with ^ and ends with $ and fits the whole of a value, its last character too."""

    def __call__(self, value: Any) -> Any:
        """Return ``value``, or raise ValidationError where it does not fit."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


ALL = (
    *(ID, ID7, EMAIL, LINE, WORDS, LINES, NOTE, REASON),
    *(MOMENT, PHONE_CLOCK, DAY, CIVIL_TIME, TIME_OF_DAY, ZONE, COUNTRY),
)
