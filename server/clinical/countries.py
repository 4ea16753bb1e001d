"""Country codes of ISO 3166, from the time zone data: a wrong one would show nobody's crisis lines."""

from functools import cache
from importlib.resources import files


@cache
def countries() -> frozenset[str]:
    """Return the two-letter codes that are given out."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    return frozenset(line.partition("\t")[0] for line in table.splitlines() if line and line[0] != "#")
