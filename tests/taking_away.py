"""How much memory taking a diary away needs: in a process of its own, at full speed, by its resident set.

In the tests' own process, what lies free there would hide what an answer takes. Reads a JSON object from
its standard input: `settings`, `ways` (path and media type, by name) and `who` (a token and a patient each,
asked in turn). Prints for each of them and each way how far memory rose at its highest, and where it stood
then, in KiB.
"""

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask

from server.app import create_app
from server.settings import Settings

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def taken(app: Flask, token: str, path: str, kind: str) -> tuple[int, int]:
    """Take an answer bit by bit, keep nothing, and return how far memory rose and to where, in KiB."""
    FORGET.write_text("5")  # the highest one is from now on
    before = _resident("VmRSS")
    headers = {"Authorization": f"Bearer {token}", "Accept": kind}
    answer = app.test_client().get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    for _ in answer.iter_encoded():
        pass
    highest = _resident("VmHWM")
    return highest - before, highest


def _resident(name: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(name))


def _all(asked: dict[str, Any]) -> list[dict[str, tuple[int, int]]]:
    app = create_app(Settings(**{**asked["settings"], "data_dir": Path(asked["settings"]["data_dir"])}))
    return [
        {name: taken(app, token, path.format(patient=patient), kind) for name, (path, kind) in ways}
        for token, patient in asked["who"]
        for ways in [asked["ways"].items()]
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_all(json.load(sys.stdin))))
