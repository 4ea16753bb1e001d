"""Kannel and its fake SMS centre, real ones from Debian, on loopback: started, watched, stopped by id."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.ports import free_port

FAKE_CENTRE = Path("/usr/lib/kannel/test/fakesmsc")
USER, PASSWORD = "afterglow", "p%40ss"  # the password is p@ss
LONGEST_START, TRIES = 8.0, 3

# Every listener is named: without its interface each would listen on all of them.
CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = none
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
denied-prefix = +4788
port = {centre}
our-host = 127.0.0.1
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = afterglow
password = p@ss
max-messages = 1
"""


def is_here() -> bool:
    """Return whether Kannel and its fake centre are installed."""
    return bool(shutil.which("bearerbox") and shutil.which("smsbox")) and FAKE_CENTRE.exists()


@dataclass
class Kannel:
    """A running gateway. ``log`` is where the fake centre writes what it was given to deliver."""

    url: str
    centre_port: int
    log: Path

    def has_delivered(self, line: str, seconds: float = 3.0) -> bool:
        """Wait until the centre has had a message, written as it does: sender, receiver, kind, text."""
        end = time.monotonic() + seconds
        while line not in self.log.read_text("utf-8", errors="replace") and time.monotonic() < end:
            time.sleep(0.02)
        return time.monotonic() < end


@contextmanager
def running(folder: Path, services: str = "") -> Iterator[Kannel]:
    """Run Kannel without a centre: it takes messages, and reports nothing.

    ``services``: what its settings say of messages that come in.
    """
    with ExitStack() as processes:
        yield _started(folder, services, processes)


def _started(folder: Path, services: str, processes: ExitStack) -> Kannel:
    """Start it on free ports, and on others where somebody else took one of them in between."""
    for _ in range(TRIES):
        tried = processes.enter_context(ExitStack())
        try:
            return _start(folder, services, tried)
        except TimeoutError:
            tried.close()
    raise TimeoutError("Kannel did not start")


def _start(folder: Path, services: str, processes: ExitStack) -> Kannel:
    ports = {name: free_port() for name in ("admin", "box", "centre", "sendsms")}
    configuration = folder / "kannel.conf"
    configuration.write_text(f"{CONFIGURATION.format(**ports)}\n{services}")
    for program, port in (("bearerbox", ports["box"]), ("smsbox", ports["sendsms"])):
        command = [str(shutil.which(program)), str(configuration)]
        process = processes.enter_context(_process(command, folder / f"{program}.log"))
        _wait_for(process, port)
    url = f"http://{USER}:{PASSWORD}@127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms"
    return Kannel(url, ports["centre"], folder / "centre.log")


@contextmanager
def centre(kannel: Kannel) -> Iterator[None]:
    """Run the fake centre, which confirms every message as delivered to a phone."""
    where = ["-H", "127.0.0.1", "-r", str(kannel.centre_port), "-m", "0"]
    with _process([str(FAKE_CENTRE), *where, "1 2 text unused"], kannel.log):
        yield


@contextmanager
def written(kannel: Kannel, sender: str, text: str) -> Iterator[None]:
    """Let somebody write ``text``, and the fake centre pass it on."""
    where = ["-H", "127.0.0.1", "-r", str(kannel.centre_port), "-i", "0.01", "-m", "1"]
    with _process([str(FAKE_CENTRE), *where, f"{sender} 1234 text {text}"], kannel.log):
        yield


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.kill()  # nothing it holds is worth a slow goodbye
            process.wait(5)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when ``process`` itself listens at ``port``; what answers there may be somebody else's."""
    end, own = time.monotonic() + LONGEST_START, psutil.Process(process.pid)
    while process.poll() is None and time.monotonic() < end:
        if port in {one.laddr.port for one in own.net_connections() if one.status == psutil.CONN_LISTEN}:
            return
        time.sleep(0.02)
    raise TimeoutError("Kannel did not start")
