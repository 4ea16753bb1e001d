"""Which columns of a file a map means, whatever the app's version that wrote it calls them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.diary_import.diary_map import DiaryMap
from server.diary_import.table import TableError

NAMELESS = "(without a name)"


@dataclass(frozen=True, slots=True)
class Columns:
    """The file's own name of each column of a map that is there, and what the map does not use."""

    named: Mapping[str, str]
    unused: tuple[str, ...]


def columns_of(diary_map: DiaryMap, header: Sequence[str]) -> Columns:
    """Return the columns of the file with this ``header``; the first name that is there wins.

    TableError where a column is missing that the map does not call optional, or every item's.
    """
    named = dict(_present(diary_map, header))
    absent = [name for name in diary_map.columns() if name not in named and name not in diary_map.optional]
    if absent:
        raise TableError(f"has no column {', '.join(absent)} (it has {', '.join(header)})")
    if not any(scale.column in named for scale in diary_map.items.values()):
        raise TableError(f"has no column of any item (it has {', '.join(header)})")
    used = set(named.values())
    unused = dict.fromkeys(name or NAMELESS for name in header if name not in used)
    return Columns(named, tuple(unused))


def _present(diary_map: DiaryMap, header: Sequence[str]) -> Iterator[tuple[str, str]]:
    # Apps change the capitals of a name more easily than the name.
    folded = {name.casefold(): name for name in reversed(header)}
    for column in diary_map.columns():
        names = (column, *diary_map.also.get(column, ()))
        known = (name if name in header else folded.get(name.casefold()) for name in names)
        if (found := next(filter(None, known), None)) is not None:
            yield column, found
