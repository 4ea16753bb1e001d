"""What the answer about known weaknesses means: found, none, or nobody knew."""

import json
from pathlib import Path

from tests.advisories import SKIPPED, read, verdict

GOOD = {"name": "flask", "version": "3.1.3", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["1.1"]}]}


def test_an_advisory_fails_the_check_and_names_what_mends_it() -> None:
    assert verdict([GOOD, BAD, UNKNOWN]) == (["old 1.0: CVE-2026-1, mended in 1.1"], 1)


def test_an_index_that_knows_nothing_is_no_good_news() -> None:
    assert verdict([UNKNOWN]) == ([SKIPPED], 0)
    assert verdict([]) == ([SKIPPED], 0)


def test_what_was_not_answered_is_named_beside_what_was() -> None:
    assert verdict([GOOD, UNKNOWN]) == (["not answered: ours; no advisory for the others"], 0)
    assert verdict([GOOD]) == (["no advisory for any of 1 releases"], 0)


def test_a_report_that_was_never_written_is_no_answer(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert read(report) == []
    report.write_text("")
    assert read(report) == []
    report.write_text(json.dumps({"dependencies": [GOOD]}))
    assert read(report) == [GOOD]
