"""Countries of ISO 3166 and where time zones lie, from the time zone data."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files


@cache
def countries() -> frozenset[str]:
    """Return the two-letter codes that are given out: a wrong one would show nobody's crisis lines."""
    return frozenset(_names())


def name_of(country: str) -> str:
    """Return what a country is called in English; its code where it is none."""
    return _names().get(country, country)


def country_of(zone: str) -> str | None:
    """Return the country an IANA zone lies in, None where it lies in none; also by its former name."""
    zones = _zones()
    return zones.get(zone) or zones.get(_former_names().get(zone, ""))


@cache
def _names() -> Mapping[str, str]:
    return {row[0]: row[1] for row in _rows("iso3166.tab")}


@cache
def _zones() -> Mapping[str, str]:
    return {zone: country for country, _, zone, *_ in _rows("zone.tab")}


@cache
def _former_names() -> Mapping[str, str]:
    links = (line.split() for line in _text("tzdata.zi").splitlines() if line.startswith("L "))
    # One without a place in it (CET) is the time of several countries, whichever city stands for it there.
    return {former: zone for _, zone, former in links if "/" in former}


def _rows(name: str) -> Iterator[Sequence[str]]:
    return (line.split("\t") for line in _text(name).splitlines() if line and line[0] != "#")


def _text(name: str) -> str:
    return (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
