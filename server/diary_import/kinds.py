"""Which rows speak of what, in files with a row a reading."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

Where = Mapping[str, tuple[str, ...]]
Cell = Callable[[str], str]
# "Nausea (Mild)": the grade stands in a column of its own too.
_ENDING = re.compile(r"\s*\([^()]*\)$")


def speaks(where: Where, cell: Cell) -> bool:
    """Return whether a row is one of those that ``where`` speaks of; ``cell`` reads a column of it."""
    return all(_fits(cell(column), patterns) for column, patterns in where.items())


def kind(wheres: Iterable[Where], cell: Cell) -> str:
    """Return what kind of reading a row is, in the words of the file: as far as the map tells kinds apart."""
    columns = max((_looked_at(where, cell) for where in wheres), key=len, default=())
    return " / ".join(_plain(cell(column)) or "(empty)" for column in columns)


def _looked_at(where: Where, cell: Cell) -> tuple[str, ...]:
    seen: list[str] = []
    for column, patterns in where.items():
        seen.append(column)
        if not _fits(cell(column), patterns):
            break
    return tuple(seen)


# A file has few kinds of readings and many rows.
@lru_cache(maxsize=4096)
def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    texts = {text.casefold(), _plain(text).casefold()}
    return any(fnmatchcase(one, pattern.casefold()) for one in texts for pattern in patterns)


def _plain(text: str) -> str:
    return _ENDING.sub("", text).strip()
