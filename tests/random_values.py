"""Values of the contract's own formats, as its words allow them; and texts that no pattern speaks of."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

from schemas.alert import cursor_of
from schemas.fields import ZONES
from server.clinical.plain_text import ANY_OVERRIDE
from server.clinical.vocabulary import AlertClass

_DAYS = st.dates(date(1970, 1, 1), date(2200, 12, 31))
_OFFSETS = st.builds("{}{:02}:{:02}".format, st.sampled_from("+-"), st.integers(0, 23), st.integers(0, 59))
_CLOCK = st.times().map(lambda time: time.isoformat("seconds"))
_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31))  # noqa: DTZ001 - civil ones
_SAID = st.one_of(
    _DAYS.map(lambda day: f"{day:%Y}"),
    _DAYS.map(lambda day: f"{day:%Y-%m}"),
    _DAYS.map(date.isoformat),
    st.builds("{}T{}{}".format, _DAYS, _CLOCK, st.just("") | st.just("Z") | _OFFSETS),
)
_ENDS = ("1969-12-31", "1970-01-01", "2200-12-31", "2201-01-01")
_LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
FORMATS: Mapping[str, st.SearchStrategy[str]] = {
    "time-zone": st.sampled_from(sorted(ZONES)),
    "local-date-time": _MOMENTS.map(lambda moment: moment.isoformat("T", "minutes")),
    "entity-tag": st.builds('{}{}"'.format, st.sampled_from(('"v', '"', 'W/"')), st.integers(1, 999_999_999)),
    "moment-in-header": _MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC).isoformat()),
    "fhir-date": st.builds(str.__add__, st.sampled_from(["", "eq", "ge", "le", "gt", "lt"]), _SAID),
    "uri": st.builds("https://{}.example.{}/{}".format, _LABELS, st.sampled_from(["com", "org"]), _LABELS),
    "alert-place": st.builds(
        cursor_of, st.sampled_from(AlertClass), _MOMENTS.map(lambda at: at.replace(tzinfo=UTC)), st.uuids()
    ),
}


def register() -> None:
    """Teach the generator of requests these formats."""
    for name, values in FORMATS.items():
        schemathesis.openapi.format(name, values)


def is_beyond_patterns(value: Any) -> bool:
    """Return whether a text in ``value`` is one of which no pattern, or no length in one, can speak.

    Their length changes when they are kept (NFC, left out overrides), or they hold what is no character, or
    is not seen, beyond the sixteen bits that every dialect of patterns can name; or it is a moment on the
    first or the last day of all, where the offset decides.
    """
    if isinstance(value, Mapping):
        return any(is_beyond_patterns(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(is_beyond_patterns(part) for part in value)
    return isinstance(value, str) and (
        len(unicodedata.normalize("NFC", value)) != len(value)
        or ANY_OVERRIDE.search(value) is not None
        or value[:10] in _ENDS
        or any(map(_is_beyond, value))
    )


def _is_beyond(character: str) -> bool:
    point = ord(character)
    return point > 0xFFFF and (point & 0xFFFE == 0xFFFE or unicodedata.category(character) == "Cf")
