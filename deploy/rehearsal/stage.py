"""Starts what the compose file names, in its order, and stops it."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.rehearsal import counter, engines, figures, proxy
from deploy.rehearsal.place import Place
from deploy.rehearsal.plan import Service, read
from deploy.rehearsal.running import RehearsalError, Running, run

OURS = "afterglow:"
# What works on the database.
_AT_WORK = ("worker", "api")
# Where the lists of erasures and of endings lie, in a container.
_KEPT, _LISTS = "/var/lib/afterglow", 2


@dataclass
class Stage:
    """The service as it runs: where it lies, what runs, what was left out and why."""

    place: Place
    running: Running
    left_out: dict[str, str] = field(default_factory=dict)

    def addresses(self, name: str) -> list[str]:
        """Return where the replicas of a service answer."""
        return [f"http://127.0.0.1:{port}" for port in self.place.ports[name]]

    def doors(self) -> list[str]:
        """Return where everybody comes in: at the proxy, or where there is none at each API."""
        return self.addresses("api") if proxy.PROGRAM in self.left_out else [proxy.address(self.place)]

    def shared(self) -> str:
        """Say what the proxy handed to whom, and whether requests are counted together.

        Raises `RehearsalError` where not every API got its share, or nothing was counted.
        """
        said = []
        if proxy.PROGRAM not in self.left_out:
            shares = proxy.shares(self.place)
            if len(shares) != len(self.place.ports["api"]):
                raise RehearsalError("The proxy did not hand requests to every API.")
            said.append(f"the proxy shared out {sum(shares.values())} requests")
        if counter.SERVICE not in self.left_out:
            if not (counts := counter.counted(self.place)):
                raise RehearsalError("Nothing was counted together.")
            said.append(f"{counts} counts are kept together")
        return ", ".join(said) or "every API counts for itself"

    def watched(self) -> str:
        """Wait until Prometheus has figures of every API, where it runs; say so."""
        if figures.PROGRAM in self.left_out:
            return "no Prometheus to watch it"
        rules = figures.wait(self.running, self.place)
        return f"Prometheus has figures of every API and watches {rules} rules"

    def once(self, name: str) -> str:
        """Run a service that is started on demand, to its end, as `docker compose run` would."""
        service = self.place.services[name]
        return self.command(name, *service.command[1:])

    def command(self, name: str, *words: str) -> str:
        """Run a command as `docker compose run` would in the surroundings of service ``name``."""
        service, tools = self.place.services[name], engines.postgresql_programs()
        environment = self.place.environment(service, 0)
        environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
        words = tuple(self.place.here(service, 0, word) for word in words)
        return run([service.command[0], *words], environment)

    def put_back(self, backup: str) -> str:
        """Put a file of the volume `backups` back, as docs/deploying.md says, and return what that said.

        What works on the database is stopped before, and well again afterwards.
        """
        kept = self.place.services["restore"].mounts[_KEPT]
        lists = self.place.folder / "volumes" / kept
        self.running.wait("worker", lambda: len([*lists.glob("erasures*.jsonl")]) == _LISTS)
        for name in _AT_WORK:
            self.running.halt(name)
        said = self.command("restore", "afterglow", "restore", "--replace", f"/backups/{backup}")
        for name in _AT_WORK:
            _start_replicas(self, self.place.services[name])
        return said


@contextmanager
def rehearsal(environ: Mapping[str, str], tell: Callable[[str], object]) -> Iterator[Stage]:
    """Start everything, give the `Stage`, stop everything. Raises `RehearsalError`."""
    if (why := engines.why_no_postgresql()) is not None:
        raise RehearsalError(why)
    with tempfile.TemporaryDirectory(prefix="afterglow-rehearsal-") as folder:
        stage = Stage(Place(Path(folder), read(environ)), Running(Path(folder)))
        try:
            for service in _in_order(stage.place.services):
                tell(_start(stage, service))
            yield stage
        finally:
            stage.running.stop()


def _in_order(services: Mapping[str, Service]) -> Iterator[Service]:
    """Yield what stands for itself before what waits for it."""
    waiting = {name: one for name, one in services.items() if not one.on_demand}
    while waiting:
        # What waits for nobody comes first; a circle ends here with an error.
        name = next(n for n, one in waiting.items() if not waiting.keys() & set(one.waits_for))
        yield waiting.pop(name)


def _start(stage: Stage, service: Service) -> str:
    if service.name == "db":
        engines.start_postgresql(stage.running, stage.place)
        return "db: a PostgreSQL out of a Python package"
    if service.name == "pgbouncer":
        return _start_pooler(stage)
    if (found := _OTHERS.get(service.name)) is not None:
        return _start_other(stage, service, *found)
    if not service.image.startswith(OURS):
        stage.left_out[service.name] = f"nothing here stands for {service.image}"
        return f"{service.name}: left out, {stage.left_out[service.name]}"
    if service.once:
        said = run(service.command, stage.place.environment(service, 0)).strip()
        return f"{service.name}: {said}"
    return _start_replicas(stage, service)


_OTHERS: Mapping[str, tuple[Callable[[], str | None], Callable[[Running, Place], None]]] = {
    figures.PROGRAM: (figures.why_none, figures.start),
    proxy.PROGRAM: (proxy.why_none, proxy.start),
    counter.SERVICE: (counter.why_none, counter.start),
}


def _start_other(
    stage: Stage,
    service: Service,
    why_none: Callable[[], str | None],
    start: Callable[[Running, Place], None],
) -> str:
    """Start what the machine has of others' programs, or leave it out and keep the reason."""
    if (why := why_none()) is not None:
        stage.left_out[service.name] = why
        return f"{service.name}: left out, {why}"
    start(stage.running, stage.place)
    return f"{service.name}: with our settings"


def _start_pooler(stage: Stage) -> str:
    if (why := engines.why_no_pgbouncer()) is not None:
        stage.left_out["pgbouncer"] = why
        stage.place.ports["pgbouncer"] = stage.place.ports["db"]
        return f"pgbouncer: left out, {why}; everybody goes to the database itself"
    engines.start_pgbouncer(stage.running, stage.place)
    return "pgbouncer: in transaction mode"


def _start_replicas(stage: Stage, service: Service) -> str:
    place, running = stage.place, stage.running
    for number in range(service.replicas):
        words = [place.here(service, number, word) for word in service.command]
        running.start(f"{service.name}-{number}", words, place.environment(service, number))
    for number in range(service.replicas):
        running.wait(service.name, lambda number=number: _is_well(place, service, number))  # type: ignore[misc]
    return f"{service.name}: {service.replicas} of them"


def _is_well(place: Place, service: Service, number: int) -> bool:
    """Return what the health check of the container says."""
    if not service.health:
        return True
    words = [place.here(service, number, word) for word in service.health]
    asked = subprocess.run(words, env=place.environment(service, number), capture_output=True, check=False)
    return asked.returncode == 0
