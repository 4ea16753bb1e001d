"""What the compose file says, service by service."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[1]
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Service:
    """One service: how it is started, with which environment, and what lies where in its container.

    ``mounts``: from a path in the container to what is there (a path beside the compose file, or a
    volume's name). ``secrets``: from the file's name in the container to the secret's.
    ``once``: it ends, and others wait until it has.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    mounts: Mapping[str, str]
    port: int | None
    replicas: int
    health: tuple[str, ...]
    waits_for: tuple[str, ...]
    once: bool
    on_demand: bool


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Service]:
    """Return the services of the compose file by name, its variables filled in from ``environ``."""
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    said = yaml.safe_load(_VARIABLE.sub(lambda found: _filled(found, environ), text))
    once = set(_ending(said["services"].values()))
    return {name: _service(name, parts, name in once) for name, parts in said["services"].items()}


def _ending(services: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of the services that others want to have ended well."""
    for parts in services:
        waits = parts.get("depends_on", {})
        for name, how in waits.items() if isinstance(waits, Mapping) else ():
            if how["condition"] == "service_completed_successfully":
                yield name


def _filled(found: re.Match[str], environ: Mapping[str, str]) -> str:
    return environ.get(found[1]) or found[2] or ""


def _service(name: str, parts: Mapping[str, Any], once: bool) -> Service:
    check = parts.get("healthcheck", {}).get("test", ["CMD"])
    return Service(
        name,
        parts["image"],
        (*parts.get("entrypoint", ()), *parts.get("command", ())),
        {key: str(value) for key, value in parts.get("environment", {}).items()},
        dict(_secrets(parts.get("secrets", ()))),
        dict(_mounts(parts.get("volumes", ()))),
        next((int(port) for port in parts.get("expose", ())), None),
        parts.get("deploy", {}).get("replicas", 1),
        tuple(check[1:]),
        tuple(parts.get("depends_on", ())),
        once,
        bool(parts.get("profiles")),
    )


def _secrets(given: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for one in given:
        yield (one, one) if isinstance(one, str) else (one["target"], one["source"])


def _mounts(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    for one in given:
        source, target, *_ = one.split(":")
        yield target, source
