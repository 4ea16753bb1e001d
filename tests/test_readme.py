"""The README's loop by hand, run as it stands by a shell against the real thing. Takes a while: CI only."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.source import ROOT

BLOCKS = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the steps say that end in a single word.
SAID = ["duplicate", "acknowledged", "resolved", "suggested", "booked"]
pytestmark = [
    pytest.mark.skipif("CI" not in os.environ, reason="takes a while: CI only"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="no curl"),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """`afterglow up --demo` on a port of its own; give the address."""
    port = free_port()
    around = {**os.environ, "AFTERGLOW_DATA_DIR": str(tmp_path), "AFTERGLOW_PORT": str(port)}
    command = [str(Path(sys.executable).with_name("afterglow")), "up", "--demo"]
    with subprocess.Popen(command, env=around, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        try:
            yield _answering(f"127.0.0.1:{port}")
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(30)


def _answering(address: str) -> str:
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(f"http://{address}/v1/status", timeout=5):
            return address
        time.sleep(0.2)
    raise AssertionError("it did not come up")


def test_the_loop_by_hand_works_as_it_stands(served: str) -> None:
    script = "\n".join(BLOCKS.findall((ROOT / "README.md").read_text("utf-8")))
    done = subprocess.run(
        ["bash", "-c", script.replace("127.0.0.1:8000", served)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    words = [line for line in done.stdout.splitlines() if re.fullmatch(r"[a-z_]+", line)]
    assert (words, done.stderr) == (SAID, "")
