"""Fields that take a value as it is or refuse it: never "7" for 7, never 3 for 3.9.

marshmallow's own fields coerce; for a clinical value that would be a silent change.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, validate

from server.clinical.countries import countries

# Unassigned characters are taken: they are the emoji of a newer Unicode than this Python knows.
_CONTROL = frozenset({"Cc", "Cs"})
# Embeddings and overrides; isolates stay, keyboards of right-to-left languages write them.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
# Six digits of a second at the most: more could not be kept, and cutting them would change the value.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}")  # ASCII only: not every mail server takes more
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
# Names that mean "whatever this machine says" are not places.
_ZONES = frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}


class Text(fields.String):
    """Text without control characters, lone surrogates or direction overrides, normalised to NFC.

    ``lines=True`` is for what people write at length: line feed and tab are allowed, CR LF becomes a
    line feed, and direction overrides are left out instead of refusing the whole of what was
    written. Leading and trailing blanks are kept: they are the writer's.
    """

    def __init__(self, *, longest: int, shortest: int = 0, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest), **kwargs)
        self.lines, self.says_something = lines, shortest > 0 and not lines

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if self.lines:
            text = _kept(text.replace("\r\n", "\n"))
        if any(map(self._forbidden, set(text))):
            raise ValidationError("Control characters are not allowed.")
        if self.says_something and text and not any(map(_is_visible, text)):
            raise ValidationError("Must not be blank.")
        return unicodedata.normalize("NFC", text)

    def _forbidden(self, character: str) -> bool:
        if self.lines and character in "\n\t":
            return False
        if character in _OVERRIDES or unicodedata.category(character) in _CONTROL:
            return True
        point = ord(character)
        return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF  # never characters, in any Unicode


def _is_visible(character: str) -> bool:
    # Joiners of width zero belong into some names, but are none by themselves.
    return not character.isspace() and unicodedata.category(character) != "Cf"


def _kept(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, _OVERRIDES)))


class Reason(Text):
    """Text that must say something: blanks alone are no reason."""

    def __init__(self, *, longest: int = 2000, **kwargs: Any) -> None:
        super().__init__(longest=longest, shortest=1, lines=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip():
            raise ValidationError("Must not be blank.")
        return text


class Email(Text):
    """An e-mail address, lower-cased: the part people mistype least is not worth a failed sign-in."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"format": "email", **kwargs.pop("metadata", {})}
        super().__init__(longest=254, shortest=3, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _EMAIL.fullmatch(text):
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

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise ValidationError("Must be a date and time with its offset, as in RFC 3339.")
        moment = super()._deserialize(value.upper(), attr, data, **kwargs)
        assert isinstance(moment, datetime)
        if not 1970 <= moment.year <= 2200:
            raise ValidationError("Must be between 1970 and 2200.")
        return moment


class Day(fields.Date):
    """A civil day, YYYY-MM-DD only."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValidationError("Must be a day, YYYY-MM-DD.")
        day = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(day, date)
        if not 1900 <= day.year <= 2200:
            raise ValidationError("Must be between 1900 and 2200.")
        return day


class TimeOfDay(fields.Field[time]):
    """A civil time of day, HH:MM, without seconds and without a zone: the patient's own clock."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "pattern": _TIME.pattern, "example": "20:00"}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)

    def _serialize(self, value: time | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.strftime("%H:%M")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> time:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise ValidationError("Must be a time of day, HH:MM.")
        return time.fromisoformat(value)


class Zone(fields.String):
    """An IANA time zone, like Europe/Oslo."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"example": "Europe/Oslo", **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in _ZONES:
            raise ValidationError("Must be an IANA time zone.")
        return text


class Country(fields.String):
    """An ISO 3166 country code of two capital letters."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": "^[A-Z]{2}$", "example": "NO", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

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

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or len(value) != 36 or value != value.lower():
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
