"""Processes of ours: started, asked after, stopped by their own ids."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 10.0
READY_SECONDS = 90.0
_LOOK = 0.1
# What the others stand on.
ENGINES = ("db", "pgbouncer")


class RehearsalError(RuntimeError):
    """Something did not start or did not do what it should; the message says what."""


@dataclass
class Process:
    """One process, with what it wrote."""

    name: str
    child: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        """Return the end of what it wrote."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])


@dataclass
class Running:
    """What runs, in the order in which it was started."""

    folder: Path
    processes: list[Process] = field(default_factory=list)

    def start(self, name: str, words: Sequence[str], environment: Mapping[str, str], user: str = "") -> None:
        """Start a process in a session of its own, as ``user`` where that is said."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                [*_leash(), *words],
                env=dict(environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user or None,
            )
        self.processes.append(Process(name, child, log))

    def wait(self, name: str, ready: Callable[[], bool]) -> None:
        """Wait until ``ready`` says so. Raises `RehearsalError` where it does not, or a process has ended."""
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise RehearsalError(
                    f"{name} was not ready within {READY_SECONDS:.0f} s.\n{self._said(name)}"
                )
            time.sleep(_LOOK)

    def check(self) -> None:
        """Raise `RehearsalError` where a process has ended by itself."""
        for process in self.processes:
            if process.child.poll() is not None:
                raise RehearsalError(f"{process.name} ended by itself.\n{process.said()}")

    def halt(self, name: str) -> None:
        """End every replica of a service, each by its own id."""
        ours = [one for one in self.processes if one.name.startswith(f"{name}-")]
        for process in ours:
            process.child.send_signal(signal.SIGINT)
        for process in ours:
            _end(process.child)
            self.processes.remove(process)

    def _said(self, name: str) -> str:
        return "\n".join(process.said() for process in self.processes if process.name.startswith(name))

    def stop(self) -> None:
        """End what was started, each by its own id, the database as the last one.

        What does not end by itself is killed.
        """
        engines = [one for one in self.processes if one.name in ENGINES]
        others = [one for one in self.processes if one.name not in ENGINES]
        for wave in (others, *([one] for one in reversed(engines))):
            for process in wave:
                # PostgreSQL's fast stop, and the end that granian and the job runner wait for.
                process.child.send_signal(signal.SIGINT)
            for process in wave:
                _end(process.child)
        self.processes.clear()


def _leash() -> Sequence[str]:
    """Return what lets a process end with this one, even where this one was killed and could tell nobody."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "INT"] if program else []


def _end(child: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    # What it started itself, too.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def run(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command to its end and return what it printed. Raises `RehearsalError` where it fails."""
    done = subprocess.run(
        words, env=dict(environment), capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RehearsalError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
