"""Ask for known weaknesses of what the service runs with: `python -m tests.advisories PATH-TO-PIP-AUDIT`.

Where the index knows nothing of advisories, or does not answer in time, that is said and nothing fails:
who has no network must be able to check everything else. A weakness fails.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.licences import locked

SECONDS = 120
_OPTIONS = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "5", "-f", "json")


def judged(found: dict[str, Any]) -> tuple[bool, list[str]]:
    """Return whether all is well, and what to say, of pip-audit's answer in JSON."""
    packages = found["dependencies"]
    weak = [one for one in packages if one.get("vulns")]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    said = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {_mended(flaw)}"
        for one in weak
        for flaw in one["vulns"]
    ]
    if len(unknown) == len(packages):
        said.append("advisories: skipped, the index knows none of the packages")
    elif unknown:
        said.append(f"advisories: not known of {', '.join(unknown)}")
    if not said:
        said.append(f"advisories: none of {len(packages)} packages has a known weakness")
    return not weak, said


def _mended(flaw: dict[str, Any]) -> str:
    return " or ".join(flaw["fix_versions"]) or "no version yet"


def main(pip_audit: str) -> int:
    """Ask, say what was found, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text(locked(), "utf-8")
        try:
            command = [pip_audit, "-r", str(lock), *_OPTIONS]
            asked = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            is_well, said = judged(json.loads(asked.stdout))
        except subprocess.TimeoutExpired:
            is_well, said = True, [f"advisories: skipped, no answer within {SECONDS} seconds"]
        except (OSError, ValueError):
            is_well, said = True, ["advisories: skipped, pip-audit is not here or could not ask"]
    sys.stdout.write("\n".join([*said, ""]))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
