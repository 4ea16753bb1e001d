"""The API as it is served: its own process on loopback, spoken to byte by byte."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from server.settings import PREFIX, Settings
from tests.ports import free_port, wait_for
from tests.source import ROOT

# The real command, with less patience for heads than the half minute it has.
IMPATIENT = "import server.serve as s; s.HEAD_SECONDS = 2; from server.cli import main; main(['serve'])"


@dataclass(frozen=True)
class Served:
    """A running API."""

    port: int
    pid: int
    log: Path

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def say(self, head: bytes, body: Iterable[bytes] = ()) -> bytes:
        """Send a request, its body piece by piece, and return all that comes back until it hangs up."""
        with self.connect() as line:
            # Whoever refuses early may hang up on the rest.
            with suppress(OSError):
                line.sendall(head)
                for piece in body:
                    line.sendall(piece)
            return heard(line)

    def memory(self) -> int:
        """Return the memory that all its processes have resident, in KiB."""
        known = [int(status.parent.name) for status in Path("/proc").glob("[0-9]*/status")]
        return sum(_resident(pid) for pid in known if _is_in(pid, self.pid))


def heard(line: socket.socket) -> bytes:
    """Return what comes until the far end hangs up."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := line.recv(65536):
            said += piece
    return said


def status(answer: bytes) -> int:
    """Return the status of an answer; 0 where there was none."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0


@contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """Serve with ``settings``, in a group of processes of its own that ends with the block."""
    port = free_port()
    ours = {
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "JWT_KEY": settings.jwt_key,
        "MASTER_KEY": settings.master_key,
        "PORT": str(port),
    }
    environ = {**os.environ, **{f"{PREFIX}{name}": value for name, value in ours.items()}}
    log = settings.data_dir / "served.log"
    with log.open("wb") as said:
        command = [sys.executable, "-c", IMPATIENT]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True, stderr=said)
    try:
        wait_for(port)
        yield Served(port, process.pid, log)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _is_in(pid: int, group: int) -> bool:
    with suppress(OSError):
        return os.getpgid(pid) == group
    return False


def _resident(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0
