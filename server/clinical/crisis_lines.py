"""Crisis lines and emergency numbers by country (docs/clinical.md, "Red flags").

Static text, read once from `crisis_lines.toml`: it must be there when nothing else works. A clinic may
lay a file of its own over it; each country's row says when somebody last made sure of it.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from server.clinical.countries import countries, country_of, name_of

OTHER = "other"
_ROW = frozenset({"emergency", "reviewed_on", "source", "lines"})
_LINE = frozenset({"number", "name", "hours"})


class CrisisLinesError(ValueError):
    """A file of crisis lines can't be used: the message says in one line which member and why."""


@dataclass(frozen=True, slots=True)
class CrisisLine:
    """People to talk to: ``number`` as one dials or types it, and when they answer."""

    number: str
    name: str
    hours: str

    def __str__(self) -> str:
        """Return the line as it is shown where there is room for one text."""
        return f"{self.number} ({self.name})"


@dataclass(frozen=True, slots=True)
class CrisisLines:
    """One country: ``emergency`` is the number in danger; ``reviewed_on`` holds for the whole row."""

    emergency: str
    lines: tuple[CrisisLine, ...]
    source: str
    reviewed_on: date

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as texts, the one to try first on top."""
        return tuple(map(str, self.lines))


@dataclass(frozen=True, slots=True)
class Directory:
    """Crisis lines by country; ``OTHER`` is for every country without a row of its own."""

    by_country: Mapping[str, CrisisLines]

    def of(self, country: str) -> CrisisLines:
        """Return the lines of an ISO 3166 country code; an unknown one gets the international directory."""
        return self.by_country.get(country, self.by_country[OTHER])

    def near(self, country: str, zone: str) -> CrisisLines:
        """Return the lines of ``country``, below those of where ``zone`` lies: abroad home's may not answer.

        Each but those of both says which country it is of. Where the zone lies in none, they are home's.
        """
        home, there = self.of(country), country_of(zone)
        if there is None or there == country:
            return home
        abroad = self.of(there)
        numbers = {there: abroad.emergency, country: home.emergency}
        told = " or ".join(f"{number} ({name_of(where)})" for where, number in numbers.items())
        of_both = {*self.by_country[OTHER].lines, *set(abroad.lines).intersection(home.lines)}
        lines = (*_named(abroad, there, of_both), *_named(home, country, of_both))
        return CrisisLines(
            emergency=abroad.emergency if abroad.emergency == home.emergency else told,
            lines=tuple(dict.fromkeys(lines)),
            source=f"{abroad.source}, {home.source}",
            reviewed_on=min(abroad.reviewed_on, home.reviewed_on),
        )

    def overlaid(self, text: str) -> "Directory":
        """Return this with the countries of TOML ``text`` in place of its own. Raises CrisisLinesError."""
        return Directory({**self.by_country, **_read(text)})

    def stale(self, today: date) -> Sequence[str]:
        """Return the countries, in order, nobody has reviewed for more than 12 months."""
        return [key for key, row in sorted(self.by_country.items()) if _is_stale(row.reviewed_on, today)]

    def ahead_of(self, today: date) -> Sequence[str]:
        """Return the countries, in order, whose review lies after ``today``: it would never grow old."""
        return [key for key, row in sorted(self.by_country.items()) if row.reviewed_on > today]


def _named(found: CrisisLines, country: str, of_both: Collection[CrisisLine]) -> Iterator[CrisisLine]:
    """Yield the lines of a country with its name, but for those that are no country's alone."""
    for line in found.lines:
        yield line if line in of_both else replace(line, name=f"{line.name}, {name_of(country)}")


def _is_stale(reviewed_on: date, today: date) -> bool:
    """Return whether the review lies more than 12 months back: a wrong number can cost a life."""
    return (today.year, today.month, today.day) > (reviewed_on.year + 1, reviewed_on.month, reviewed_on.day)


def _read(text: str) -> Mapping[str, CrisisLines]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CrisisLinesError(f"is no TOML: {error}") from None
    return {key: _row(key, value) for key, value in raw.items()}


def _row(key: str, raw: Any) -> CrisisLines:
    if key != OTHER and key not in countries():
        raise CrisisLinesError(f"{key}: must be an ISO 3166 country code, or {OTHER}")
    _check_members(key, raw, _ROW)
    reviewed_on = raw["reviewed_on"]
    if not isinstance(reviewed_on, date) or isinstance(reviewed_on, datetime):
        raise CrisisLinesError(f"{key}.reviewed_on: must be a date such as 2026-11-22")
    if not isinstance(raw["lines"], list) or not raw["lines"]:
        raise CrisisLinesError(f"{key}.lines: must name at least one line")
    lines = tuple(_line(f"{key}.lines[{number}]", line) for number, line in enumerate(raw["lines"], 1))
    return CrisisLines(_text(key, raw, "emergency"), lines, _text(key, raw, "source"), reviewed_on)


def _line(place: str, raw: Any) -> CrisisLine:
    _check_members(place, raw, _LINE)
    return CrisisLine(_text(place, raw, "number"), _text(place, raw, "name"), _text(place, raw, "hours"))


def _check_members(place: str, raw: Any, wanted: frozenset[str]) -> None:
    if not isinstance(raw, dict):
        raise CrisisLinesError(f"{place}: must be a table")
    for name in sorted(wanted ^ raw.keys()):
        raise CrisisLinesError(f"{place}.{name}: {'is missing' if name in wanted else 'is not known'}")


def _text(place: str, raw: Mapping[str, Any], name: str) -> str:
    found = raw[name]
    if not isinstance(found, str) or not found.strip():
        raise CrisisLinesError(f"{place}.{name}: must be a text")
    return found


SHIPPED = Directory(_read((files("server.clinical") / "crisis_lines.toml").read_text(encoding="utf-8")))
