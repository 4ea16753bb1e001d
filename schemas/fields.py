"""Fields that take a value as it is or refuse it: never "7" for 7, never 3 for 3.9.

marshmallow's own fields coerce; for a clinical value that would be a silent change.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas import spelling
from schemas.spelling import BEYOND_MOMENTS, FIRST_MOMENT, refusal
from server.clinical import plain_text
from server.clinical.countries import countries
from server.clinical.zones import ZONES

_NAME = re.compile(spelling.NAME)
_MOMENT = "a date and time with its offset, as in RFC 3339"


class Text(fields.String):
    """Text without control characters, lone surrogates or direction overrides, normalised to NFC.

    ``lines=True`` is for what people write at length: line feed and tab are allowed, CR LF becomes a
    line feed, and direction overrides are left out instead of refusing the whole of what was
    written. Leading and trailing blanks are kept: they are the writer's.
    """

    def __init__(self, *, longest: int, shortest: int = 0, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest), **kwargs)
        self.lines, self.says_something = lines, shortest > 0 and not lines
        one_line = spelling.WORDS if self.says_something else spelling.LINE
        self.spelled = spelling.LINES if lines else one_line

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if self.lines:
            text = plain_text.lines(text)
        if (plain_text.ANY_BARRED_IN_LINES if self.lines else plain_text.ANY_BARRED).search(text):
            raise ValidationError("Control characters are not allowed.")
        if self.says_something and text and not plain_text.ANY_SEEN.search(text):
            raise ValidationError("Must not be blank.")
        return unicodedata.normalize("NFC", text)


class Reason(Text):
    """Text that must say something: blanks alone are no reason."""

    def __init__(self, *, longest: int = 2000, **kwargs: Any) -> None:
        super().__init__(longest=longest, shortest=1, lines=True, **kwargs)
        self.spelled = spelling.REASON

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not plain_text.ANY_WRITTEN.search(text):
            raise ValidationError("Must not be blank.")
        return text


class Email(Text):
    """An e-mail address, lower-cased: the part people mistype least is not worth a failed sign-in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=254, shortest=3, **kwargs)
        self.spelled = spelling.EMAIL

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self.spelled.fits(text):
            raise ValidationError("Not an e-mail address.")
        return text.lower()


class Whole(fields.Integer):
    """A whole JSON number inside its bounds. 7.0 is one; 3.9, "7" and true are not."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)
        self._bounds = low, high

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Take a whole number inside its bounds at once: nearly all there is of a diary."""
        low, high = self._bounds
        if type(value) is int and low <= value <= high:
            return value
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise ValidationError("Must be a whole number.")
        return int(value)


class Rounded(fields.Float):
    """A figure in an answer, told to two decimals: more would claim a precision that it does not have."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else round(float(value), 2)


class Decimal(fields.Float):
    """A finite JSON number inside its bounds; never a text, never true."""

    def __init__(self, *, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **kwargs)
        self._bounds = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number.")
        number = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(number, float)
        return number


class Flag(fields.Boolean):
    """true or false, nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Moment(fields.AwareDateTime):
    """An RFC 3339 moment with its offset; sent back in UTC."""

    spelled = spelling.MOMENT

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = self._read(value)
        if not FIRST_MOMENT <= moment < BEYOND_MOMENTS:
            raise ValidationError(refusal(self.spelled, value, _MOMENT))
        return moment

    def _read(self, value: Any) -> datetime:
        if not isinstance(value, str) or not self.spelled.fits(value):
            raise ValidationError(refusal(self.spelled, value, _MOMENT))
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise self.make_error("invalid", input=value.upper(), obj_type=self.OBJ_TYPE) from None


class Day(fields.Date):
    """A civil day, YYYY-MM-DD only."""

    spelled = spelling.DAY

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not self.spelled.fits(value):
            raise ValidationError(refusal(self.spelled, value, "a day, YYYY-MM-DD"))
        day = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(day, date)
        return day


class TimeOfDay(fields.Field[time]):
    """A civil time of day, HH:MM, without seconds and without a zone: the patient's own clock."""

    spelled = spelling.TIME_OF_DAY

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "example": spelling.TIME_OF_DAY.example}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)

    def _serialize(self, value: time | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.strftime("%H:%M")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> time:
        if not isinstance(value, str) or not self.spelled.fits(value):
            raise ValidationError("Must be a time of day, HH:MM.")
        return time.fromisoformat(value)


class Zone(fields.String):
    """An IANA time zone, like Europe/Oslo."""

    spelled = spelling.ZONE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"example": "Europe/Oslo", **kwargs.pop("metadata", {})}, **kwargs)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Take a zone there is at once: every entry names one."""
        if type(value) is str and value in ZONES:
            return value
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in ZONES:
            raise ValidationError("Must be an IANA time zone.")
        return text


class Country(fields.String):
    """An ISO 3166 country code of two capital letters."""

    spelled = spelling.COUNTRY

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in countries():
            raise ValidationError("Must be an ISO 3166 country code of two capital letters.")
        return text


class Code(fields.String):
    """One of the vocabulary's codes (or of ``only`` some); loads the enumeration's member."""

    def __init__(self, codes: type[StrEnum], only: Sequence[StrEnum] = (), **kwargs: Any) -> None:
        self.codes, self._known = codes, {code.value: code for code in only or codes}
        super().__init__(validate=validate.OneOf(list(self._known)), **kwargs)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Return the member, or None where the field allows it."""
        if type(value) is str and value in self._known:
            return self._known[value]
        text = super().deserialize(value, attr, data, **kwargs)
        return self.codes(text) if isinstance(text, str) else text


class Id(fields.UUID):
    """A UUID in its usual lower-case form."""

    spelled = spelling.ID

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not spelling.ID.fits(value):
            raise ValidationError("Must be a UUID in lower case.")
        return super()._deserialize(value, attr, data, **kwargs)


class Members(fields.Field[Mapping[str, Any]]):
    """A JSON object read member by member; what is wrong is said under the member's name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "object", **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        taken: dict[str, Any] = {}
        problems: dict[str, Any] = {}
        for key, member in value.items():
            try:
                taken[key] = self._member(key, member)
            except ValidationError as error:
                problems[key] = error.messages
        if problems:
            raise ValidationError(problems)
        return taken

    def _member(self, key: str, member: Any) -> Any:
        raise NotImplementedError


class Choice(Members):
    """A JSON object whose keys come from a fixed vocabulary and whose values are one kind of field."""

    def __init__(self, members: Mapping[str, fields.Field[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = members

    def _member(self, key: str, member: Any) -> Any:
        if key not in self.members:
            raise ValidationError("Is not in the vocabulary.")
        return self.members[key].deserialize(member)


class Named(Members):
    """A JSON object of up to ``most`` members with any plain names; ``member`` says what they hold."""

    def __init__(self, member: fields.Field[Any], *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.member, self.most = member, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if isinstance(value, dict) and len(value) > self.most:
            raise ValidationError(f"Has more than {self.most} members.")
        return super()._deserialize(value, attr, data, **kwargs)

    def _member(self, key: str, member: Any) -> Any:
        if not _NAME.fullmatch(key):
            raise ValidationError("Is not a name.")
        return self.member.deserialize(member)
