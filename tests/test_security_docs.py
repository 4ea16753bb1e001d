"""What the pages about security name exists, and none of their tables has a hole."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from server import settings as our_settings
from tests.source import ROOT

PAGES = ("security.md", "asvs.md", "threat-model.md", "law.md", "incident.md", "keys.md")
NAMED = re.compile(
    r"`((?:(?:server|schemas|jobs|tests|docs|examples|\.ci)/[\w./-]+\.\w+)|Makefile|[\w.-]+\.(?:lock|yaml|cfg))"
    r"(?:::(\w+))?`"
)
STATES = ("met", "partly", "not met", "yours", "nothing")
# Chapter and section of ASVS 5.0.0, its requirements of level 1, and those of level 2.
ASVS = """
1.1|        |1 2              1.2|1 2 3 4 5|6 7 8 9     1.3|1 2|3 4 5 6 7 8 9 10 11   1.4||1 2 3   1.5|1|2
2.1|1       |2 3              2.2|1 2    |3           2.3|1  |2 3 4                  2.4||1
3.2|1 2     |                 3.3|1      |2 3 4       3.4|1 2|3 4 5 6                3.5|1 2 3|4 5
3.7|        |1 2
4.1|1       |2 3              4.2|       |1           4.3|   |1 2                    4.4|1|2 3 4
5.1|        |1                5.2|1 2    |3           5.3|1 2|                       5.4||1 2 3
6.1|1       |2 3              6.2|1 2 3 4 5 6 7 8|9 10 11 12                         6.3|1 2|3 4
6.4|1 2     |3 4              6.5|       |1 2 3 4 5   6.6|   |1 2 3                  6.8||1 2 3 4
7.1|        |1 2 3            7.2|1 2 3 4|            7.3|   |1 2                    7.4|1 2|3 4 5
7.5|        |1 2              7.6|       |1 2
8.1|1       |2                8.2|1 2    |3           8.3|1  |                       8.4||1
9.1|1 2 3   |                 9.2|1      |2 3 4
10.1|       |1 2              10.2|      |1 2         10.3|  |1 2 3 4
10.4|1 2 3 4 5|6 7 8 9 10 11
10.5|       |1 2 3 4 5        10.6|      |1 2         10.7|  |1 2 3
11.1|       |1 2              11.2|      |1 2 3       11.3|1 2|3                     11.4|1|2 3 4
11.5|       |1                11.6|      |1
12.1|1      |2 3              12.2|1 2   |            12.3|  |1 2 3 4
13.1|       |1                13.2|      |1 2 3 4 5   13.3|  |1 2                    13.4|1|2 3 4 5
14.1|       |1 2              14.2|1     |2 3 4       14.3|1 |2 3
15.1|1      |2 3              15.2|1     |2 3         15.3|1 |2 3 4 5 6 7
16.1|       |1                16.2|      |1 2 3 4 5   16.3|  |1 2 3 4                16.4||1 2 3   16.5||1 2 3
17.1|       |1                17.2|      |1 2 3 4     17.3|  |1 2
"""


def text(page: str) -> str:
    """Return a page of `docs/`."""
    return (ROOT / "docs" / page).read_text("utf-8")


def rows(page: str, first: str) -> list[list[str]]:
    """Return the cells of each line of the page's tables whose first cell is a ``first``."""
    lines = (line for line in text(page).splitlines() if line.startswith("| "))
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [row for row in cells if re.fullmatch(first, row[0])]


def asked() -> dict[str, str]:
    """Return every requirement of levels 1 and 2 with its level."""
    sections = re.findall(r"(\d+\.\d+)\|([\d ]*)\|((?:\d+ ?(?!\d*\.))*)", ASVS)
    return {
        f"{section}.{number}": level
        for section, *levels in sections
        for level, numbers in zip("12", levels, strict=True)
        for number in numbers.split()
    }


@cache
def functions(path: Path) -> frozenset[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def missing(said: str) -> Iterator[str]:
    """Yield what a text names and there is not."""
    for path, function in NAMED.findall(said):
        file = ROOT / path
        if not file.exists() or (function and function not in functions(file)):
            yield f"{path}::{function}" if function else path


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_test_that_a_page_names_exists(page: str) -> None:
    assert sorted(set(missing(text(page)))) == []


def test_a_name_that_is_wrong_is_found() -> None:
    said = "`tests/source.py::sources`, `tests/source.py::gone`, `server/gone.py`, `setup.cfg`"
    assert list(missing(said)) == ["tests/source.py::gone", "server/gone.py"]


def test_every_requirement_of_asvs_at_levels_1_and_2_has_one_row_with_its_level() -> None:
    levels = Counter(asked().values())
    assert levels == {"1": 70, "2": 183}
    found = [row[0] for row in rows("asvs.md", r"\d+\.\d+\.\d+")]
    assert [number for number, times in Counter(found).items() if times > 1] == []
    assert {row[0]: row[1] for row in rows("asvs.md", r"\d+\.\d+\.\d+")} == asked()


def test_each_row_has_a_state_with_what_it_rests_on() -> None:
    for number, _level, says, state, where, test in rows("asvs.md", r"\d+\.\d+\.\d+"):
        assert state in STATES, number
        assert says, number
        assert where, number
        assert test or state not in ("met", "partly") or number in READ_ALONE, number
        assert not test or "*read*" in test or NAMED.search(test), number


# Partly met, and nothing to try: the rest is not ours.
READ_ALONE = ("13.2.1",)


def test_the_figures_of_asvs_are_counted_from_its_rows() -> None:
    counted: dict[str, Counter[str]] = {}
    for number, _level, _says, state, *_rest in rows("asvs.md", r"\d+\.\d+\.\d+"):
        counted.setdefault(f"V{number.partition('.')[0]}", Counter())[state] += 1
    counted["all"] = sum(counted.values(), Counter())
    told = [[row[0], *map(int, row[1:])] for row in rows("asvs.md", r"V\d+|all")]
    assert told == [[name, *(count[state] for state in STATES)] for name, count in counted.items()]


def test_every_requirement_of_ours_has_its_row_and_a_test() -> None:
    found = rows("security.md", r"\d+")
    assert [row[0] for row in found] == [str(number) for number in range(1, 29)]
    assert [row[0] for row in found if "::" not in row[3]] == []


def test_every_fault_of_who_may_see_what_has_a_test() -> None:
    found = rows("security.md", r"F\d+")
    assert [row[0] for row in found] == [f"F{number}" for number in range(23, 35)]
    assert [row[0] for row in found if "::" not in row[2]] == []


def test_every_secret_of_the_settings_is_in_the_inventory() -> None:
    secret = {name for name in our_settings.variables() if re.search(r"_(KEY|TOKEN|URL)$", name)}
    public = {f"{our_settings.PREFIX}{name}" for name in ("PUBLIC_URL",)}
    assert [name for name in sorted(secret - public) if f"`{name}`" not in text("keys.md")] == []
