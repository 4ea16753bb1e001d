"""Is there a known weakness in what we install? `make audit` asks, and this reads the answer.

`python -m tests.advisories REPORT`, with the JSON of pip-audit: exits with 1 where a release has an advisory,
and says so where the index that was asked knows nothing of advisories, which is not the same as none.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SKIPPED = "skipped: the index that was asked answers no questions about advisories"


def verdict(dependencies: Sequence[Mapping[str, Any]]) -> tuple[list[str], int]:
    """Return lines to print, and the exit code."""
    found = list(_advisories(dependencies))
    if found:
        return found, 1
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    if not dependencies or len(unknown) == len(dependencies):
        return [SKIPPED], 0
    if unknown:
        return [f"not answered: {', '.join(unknown)}; no advisory for the others"], 0
    return [f"no advisory for any of {len(dependencies)} releases"], 0


def _advisories(dependencies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in dependencies:
        for known in one.get("vulns", ()):
            mended = ", ".join(known["fix_versions"]) or "no release yet"
            yield f"{one['name']} {one['version']}: {known['id']}, mended in {mended}"


def read(report: Path) -> Sequence[Mapping[str, Any]]:
    """Return what a report says of each dependency; nothing where the tool could not ask at all."""
    text = report.read_text("utf-8") if report.exists() else ""
    found: Sequence[Mapping[str, Any]] = json.loads(text)["dependencies"] if text.strip() else []
    return found


if __name__ == "__main__":
    said, code = verdict(read(Path(sys.argv[1])))
    sys.stdout.write("\n".join(said) + "\n")
    sys.exit(code)
