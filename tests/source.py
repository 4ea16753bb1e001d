"""Our own source files, for the tests that keep the house in order."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "schemas", "jobs")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root with slashes, and its text."""

    path: str
    text: str

    @property
    def module(self) -> str:
        """The dotted name other files import it by."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text)

    def imports(self) -> Iterator[str]:
        """Yield every module the file imports; `from a import b` yields both `a` and `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{self.path}: import by the full name"
                assert node.module
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield every dotted name the code uses (`datetime.now`, `select`) and its line.

        What was imported under another name counts by its own.
        """
        renamed = self._renamed
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                first, dot, rest = ast.unparse(node).partition(".")
                yield f"{renamed.get(first, first)}{dot}{rest}", node.lineno

    @cached_property
    def _renamed(self) -> dict[str, str]:
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Import | ast.ImportFrom))
        aliases = (alias for node in nodes for alias in node.names)
        return {alias.asname: alias.name for alias in aliases if alias.asname}


@cache
def sources() -> list[Source]:
    """Return our files, released migrations excluded: those are generated and never edited."""
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    found = (Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files)
    return [source for source in found if "/migrations/versions/" not in source.path]


def read_yaml(text: str) -> Any:
    """Return what YAML ``text`` says, read by libyaml where it is there: in an eighth of the time."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
