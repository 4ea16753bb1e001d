"""What the service runs with, and under which licences: `python -m tests.licences` writes docs/licences.md.

`python -m tests.licences lock` prints the part of requirements.lock that the service needs to run, without
what only tests need: the bill of materials is made of that.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.source import ROOT

PAGE = ROOT / "docs" / "licences.md"
LOCK = ROOT / "requirements.lock"
# What may be distributed beside Apache-2.0 without any condition on our own code.
PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"),
        *("PSF-2.0", "Unlicense", "ZPL-2.1"),
    }
)
# Copyleft that ends at the library itself, with why that is no obstacle.
AT_A_LIBRARY_S_EDGE = {
    "LGPL-3.0-only": "used as a library of its own, unchanged and replaceable; its text goes along with it",
    "MPL-2.0": "holds for its own files, which are unchanged",
}
# Said in the package's own files, not in its metadata.
SAID_ELSEWHERE: dict[str, str] = {}
# What runs with us only on some machines, wherever the page is written: here Python before 3.11.3.
NOT_EVERYWHERE = {"async-timeout": "Apache-2.0"}
# What packages write into their metadata for the same thing.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache-2": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause": "BSD-2-Clause",
    "BSD-2-Clause License": "BSD-2-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Zope Public License": "ZPL-2.1",
}
HEAD = """# Licences

Afterglow itself is under Apache-2.0. This is everything it runs with, without what only tests and builds
need; `make licences` writes the page, and a test compares it with what is installed. None may be unknown,
and none may ask for more than Apache-2.0 where both are distributed together.

| package | licence | note |
|---|---|---|
"""
TAIL = """
**psycopg** is the one library under the LGPL. It is imported as it is published, so whoever gets Afterglow
may put another version in its place; the licence's text lies in the package. Nothing of Afterglow falls
under it. Whoever bundles everything into one file that can't be taken apart has to see to it that psycopg
can still be exchanged.
"""


def runtime() -> dict[str, Distribution]:
    """Return every package that the service needs to run on this machine, by its canonical name."""
    found: dict[str, Distribution] = {}
    waiting = [("afterglow", "")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        waiting += _needs(found[name], extra)
    return {name: found[name] for name in sorted(found) if name != "afterglow"}


def _needs(package: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    for line in package.requires or ():
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            yield from ((canonicalize_name(need.name), one) for one in ("", *need.extras))


def licence(package: Distribution) -> str:
    """Return the licence of a package as SPDX says it, or `unknown`."""
    told = package.metadata
    name = canonicalize_name(told["Name"])
    classified = [
        found.rpartition(" :: ")[2]
        for found in told.get_all("Classifier") or ()
        if found.startswith("License :: ") and not found.endswith("OSI Approved")
    ]
    plain = (told.get("License") or "").strip().split("\n")[0]
    said = [told.get("License-Expression"), *classified, plain]
    named = [SPDX.get(one, one) for one in said if one]
    known = (one for one in named if all(map(_fits, parts(one))))
    return SAID_ELSEWHERE.get(name) or next(known, named[0] if named else "unknown")


def parts(expression: str) -> list[str]:
    """Return the licences that an SPDX expression names."""
    return [part for part in re.split(r"\s+(?:AND|OR)\s+|[()]", expression) if part]


def is_taken(expression: str) -> bool:
    """Return whether a package under ``expression`` may go along with ours."""
    fits = [_fits(part) for part in parts(expression)]
    return bool(fits) and (any(fits) if " AND " not in expression else all(fits))


def _fits(name: str) -> bool:
    return name in PERMISSIVE or name in AT_A_LIBRARY_S_EDGE


def rows() -> list[tuple[str, str, str]]:
    """Return package, licence and note of everything the service runs with, here or elsewhere."""
    here = {name: licence(package) for name, package in runtime().items()}
    found = sorted((NOT_EVERYWHERE | here).items())
    return [(name, said, AT_A_LIBRARY_S_EDGE.get(said, "")) for name, said in found]


def page() -> str:
    """Return the page."""
    return HEAD + "".join(f"| {name} | {said} | {note} |\n" for name, said, note in rows()) + TAIL


def locked() -> str:
    """Return the lock file's lines of what the service runs with."""
    wanted = runtime().keys()
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK.read_text("utf-8"), flags=re.MULTILINE)
    names = ((re.split(r"[\[=<> ;]", block)[0], block) for block in blocks)
    return "".join(block for name, block in names if name and canonicalize_name(name) in wanted)


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        sys.stdout.write(locked())
    else:
        PAGE.write_text(page(), "utf-8")
