"""What people read is complete and true: settings, commands, thresholds, paths, words, links."""

import re
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

import click
import pytest
from flask import Flask

from server import settings as our_settings
from server.app import create_app
from server.clinical.thresholds import THRESHOLDS
from server.clinical.vocabulary import AlertState, Role, Stage, SuggestionState, WatchState
from server.settings import Settings
from tests.source import ROOT, read_yaml

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"/v1/[\w{}./$-]+")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(name: str) -> str:
    """Return a page of `docs/`."""
    return (DOCS / name).read_text("utf-8")


def everything() -> str:
    """Return all pages as one text."""
    return "\n".join(page.read_text("utf-8") for page in PAGES)


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    rows = set(text("operations.md").splitlines())
    for setting in fields(Settings):
        name = our_settings.PREFIX + setting.name.upper()
        default = f"`{setting.default}`" if str(setting.default) else "empty"
        assert f"| `{name}` | {default} | {setting.metadata['help']} |" in rows, name


def test_no_setting_is_described_that_does_not_exist() -> None:
    named = set(re.findall(rf"{our_settings.PREFIX}[A-Z_]*[A-Z]", everything()))
    assert named <= our_settings.variables().keys()


def commands() -> click.Group:
    """Return the command `afterglow`."""
    group = pytest.importorskip("server.cli").main
    assert isinstance(group, click.Group)
    return group


def test_every_command_is_described() -> None:
    group = commands()
    operations = text("operations.md")
    assert [
        name for name in group.list_commands(click.Context(group)) if f"`afterglow {name}" not in operations
    ] == []


def test_no_command_is_described_that_does_not_exist() -> None:
    group = commands()
    named = set(re.findall(r"`afterglow ([a-z][a-z-]+)", everything()))
    assert named <= set(group.list_commands(click.Context(group)))


def test_every_threshold_is_described() -> None:
    clinical = text("clinical.md")
    assert [key for key in THRESHOLDS if key not in clinical] == []


@pytest.mark.parametrize(
    "words", [Role, AlertState, WatchState, Stage, SuggestionState], ids=lambda w: w.__name__
)
def test_every_word_is_in_the_glossary(words: type[StrEnum]) -> None:
    glossary = text("glossary.md")
    section = glossary.partition(f"## {words.__name__}\n")[2].partition("\n## ")[0]
    assert [word.value for word in words if f"| `{word.value}` |" not in section] == []


def test_every_group_of_paths_is_described(tmp_path: Path) -> None:
    app: Flask = create_app(Settings(data_dir=tmp_path, password_cost="cheap"))
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/")}
    groups = {"/".join(rule.split("/")[:3]) for rule in rules}
    described = everything()
    assert [group for group in sorted(groups) if not re.search(rf"{group}\b", described)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_on_a_page_exists(page: Path, paths: set[tuple[str, ...]]) -> None:
    named = {path.rstrip("/.") for path in PATH.findall(page.read_text("utf-8"))}
    assert [path for path in sorted(named) if not _exists(path, paths)] == []


@pytest.fixture(scope="module")
def paths() -> set[tuple[str, ...]]:
    """The paths of the contract, in steps; a parameter is `*`."""
    contract = read_yaml((ROOT / "openapi.yaml").read_text("utf-8"))
    return {
        tuple(re.sub(r"\{.*\}", "*", step) for step in path.split("/"))
        for path in [*contract["paths"], "/v1/openapi.json"]
    }


def _exists(path: str, paths: set[tuple[str, ...]]) -> bool:
    """Return whether ``path`` is one of ``paths``, or what several of them begin with."""
    steps = path.split("/")
    fitting = (known for known in paths if len(known) >= len(steps))
    return any(
        all(known in ("*", said) for known, said in zip(path, steps, strict=False)) for path in fitting
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text("utf-8")) if not _leads(page, link)]
    assert broken == []


def _leads(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> Iterator[str]:
    for heading in HEADING.findall(page.read_text("utf-8")):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_make_command_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", everything(), re.MULTILINE))
    assert {first or second for first, second in named} - targets == set()


def test_the_readme_leads_with_the_two_commands() -> None:
    top = (ROOT / "README.md").read_text("utf-8")[:900]
    assert "make run" in top
    assert "make test" in top


def test_every_decision_has_its_four_parts() -> None:
    for page in (DOCS / "adr").glob("*.md"):
        headings = HEADING.findall(page.read_text("utf-8"))[1:]
        assert headings == ["Context", "Decision", "Status", "Consequences"], page.name
