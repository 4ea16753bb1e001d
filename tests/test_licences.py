"""Everything the service runs with is listed, under a licence that may go along with ours."""

import re

import pytest

from tests import advisories, licences


def test_no_licence_is_unknown_or_asks_for_more_than_ours() -> None:
    assert [row for row in licences.rows() if not licences.is_taken(row[1])] == []


def test_the_page_lists_what_is_installed() -> None:
    committed = licences.PAGE.read_text("utf-8")
    assert committed.startswith(licences.HEAD)
    assert committed.endswith(licences.TAIL)
    listed = re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \| (.*?) ?\|$", committed, re.MULTILINE)
    here = {row[0] for row in licences.rows()}
    assert [row for row in licences.rows() if row not in listed] == [], "run `make licences`"
    # What only another platform needs may be listed too, as long as it is locked.
    elsewhere = {name for name, _, _ in listed} - here - {"package"}
    lock = licences.LOCK.read_text("utf-8")
    assert all(re.search(rf"^{name}(\[|==)", lock, re.MULTILINE) for name in elsewhere), "run `make licences`"


def test_what_it_runs_with_is_what_is_locked() -> None:
    names = re.findall(r"^([a-z0-9-]+)[\[=]", licences.locked(), re.MULTILINE)
    assert set(names) == licences.runtime().keys()
    assert "pytest" not in names
    assert "--hash=sha256:" in licences.locked()


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_copyleft_that_reaches_us_is_refused(said: str, taken: bool) -> None:
    assert licences.is_taken(said) is taken


KNOWN = {"name": "flask", "version": "3.1.0", "vulns": []}
WEAK = {**KNOWN, "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.1"]}]}
UNKNOWN = {"name": "redis", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "is_well", "said"),
    [
        ([KNOWN], True, "none of 1 packages"),
        ([KNOWN, WEAK], False, "flask 3.1.0: PYSEC-1, mended in 3.1.1"),
        ([UNKNOWN], True, "skipped, the index knows none"),
        ([KNOWN, UNKNOWN], True, "not known of redis"),
        ([WEAK, UNKNOWN], False, "PYSEC-1"),
    ],
)
def test_a_weakness_fails_and_an_index_that_knows_nothing_is_said(
    packages: list[dict[str, object]], is_well: bool, said: str
) -> None:
    found, lines = advisories.judged({"dependencies": packages})
    assert found is is_well
    assert said in "\n".join(lines)


def test_without_the_tool_it_is_said_that_nothing_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert advisories.main("/nowhere/pip-audit") == 0
    assert "skipped" in capsys.readouterr().out
