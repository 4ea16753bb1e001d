"""What can't be meant in a map although each word of it is allowed."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from server.clinical.vocabulary import ITEMS, Direction
from server.diary_import.diary_map import DiaryMap, Scale

_NOON = datetime(2024, 11, 23, 12, tzinfo=UTC)
# Day, month and year could each stand for one of the others.
_THIRD = datetime(2001, 2, 3, 12, tzinfo=UTC)
_UNTAKEN = "Has a time of day that nothing takes: name the column under time too, or write 00:00:00 as it is."


def tells(pattern: str, wanted: str) -> bool:
    """Return whether ``pattern`` (of `strptime`) can read back all of ``wanted`` from what it writes."""
    sample = datetime(2024, 11, 23, 21, 45)  # noqa: DTZ001 (a wall clock, only to try the format)
    # Five years before it was the same day of the week. A day without its year is not even tried: Python
    # warns of it and will come to refuse it.
    if "%Y" in wanted and sample.strftime(pattern) == sample.replace(year=2019).strftime(pattern):
        return False
    try:
        again = datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return again.strftime(wanted) == sample.strftime(wanted)


def direction_problem(key: str, scale: Scale) -> str | None:
    """Return what is wrong with the direction that a map gives to item ``key``."""
    if key not in ITEMS:
        return None
    if ITEMS[key].direction is Direction.NEUTRAL:
        return "This item has no good end: leave it out." if scale.direction else None
    known = scale.direction in (Direction.HIGH_GOOD, Direction.HIGH_BAD)
    return None if known else "Say high_good or high_bad, as it is in the file."


def name_problems(made: DiaryMap) -> dict[str, list[str]]:
    """Return, by field, what `also` and `optional` name that is no column of the map."""
    columns = set(made.columns())
    found = {
        name: [f"{column} is no column of the map." for column in sorted(set(given) - columns)]
        for name, given in (("also", made.also), ("optional", made.optional))
    }
    if made.day.column in made.optional:
        found["optional"].append("No diary goes without its date.")
    return {name: problems for name, problems in found.items() if problems}


def date_problem(made: DiaryMap) -> str | None:
    """Return what is wrong where days, or their hours, would be other ones and nobody would notice.

    Two formats that read one text as different days: the first one would win. A date with a time of day
    where no time is asked for: each row would stand at one and the same hour.
    """
    for one, other in permutations(made.day.formats, 2):
        if _read_apart(one, other):
            return f"{one} and {other} read one text as different days.".replace("%", "")
    is_told = any(_tells_hour(pattern) for pattern in made.day.formats)
    return _UNTAKEN if is_told and made.clock is None else None


def _read_apart(one: str, other: str) -> bool:
    try:
        read = datetime.strptime(_THIRD.strftime(one), other).replace(tzinfo=UTC)
    except ValueError:
        return False
    return read.date() != _THIRD.date()


def _tells_hour(pattern: str) -> bool:
    return _NOON.strftime(pattern) != (_NOON + timedelta(hours=1)).strftime(pattern)
