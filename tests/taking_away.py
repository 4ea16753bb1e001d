"""What taking a diary away needs: in a process of its own, at full speed, by its resident set. Linux only.

In the tests' own process, what lies free there would hide what an answer takes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from server.app import create_app
from server.settings import Settings
from tests.cast import PASSWORD, Person

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
GIVEN = ("database_url", "data_dir", "password_cost", "jwt_key", "master_key")
# Path and media type of an answer, by its name.
Ways = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Taken:
    """One answer: its size in bytes, and how far memory rose and to where, both in KiB."""

    seconds: float
    size: int
    rose: int
    highest: int


def in_process(settings: Settings, ways: Ways, people: Sequence[Person]) -> list[dict[str, Taken]]:
    """Let each of ``people`` in turn take their diary away in every one of ``ways``."""
    told = {field: str(value) for field, value in asdict(settings).items() if field in GIVEN}
    who = [(person.token, str(person.patient_id)) for person in people]
    asked = json.dumps({"settings": told, "ways": ways, "who": who})
    command = [sys.executable, "-m", "tests.taking_away"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=300, check=True)
    return [{way: Taken(**one) for way, one in found.items()} for found in json.loads(done.stdout)]


def taken(app: Flask, token: str, path: str, kind: str) -> Taken:
    """Take an answer bit by bit and keep nothing of it."""
    headers = {"Authorization": f"Bearer {token}", "Accept": kind}
    proven = app.test_client().post("/v1/sign-ins/step-up", json={"password": PASSWORD}, headers=headers)
    assert proven.status_code < 300, proven.text
    FORGET.write_text("5")  # the highest one is from now on
    before, begun = _resident("VmRSS"), time.perf_counter()
    answer = app.test_client().get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    size = sum(len(piece) for piece in answer.iter_encoded())
    highest = _resident("VmHWM")
    return Taken(time.perf_counter() - begun, size, highest - before, highest)


def _resident(name: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(name))


def _all(asked: dict[str, Any]) -> list[dict[str, Any]]:
    given = asked["settings"]
    app = create_app(Settings(**{**given, "data_dir": Path(given["data_dir"])}))
    return [
        {
            name: asdict(taken(app, token, path.format(patient=patient), kind))
            for name, (path, kind) in asked["ways"].items()
        }
        for token, patient in asked["who"]
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_all(json.load(sys.stdin))))
