"""Valkey or Redis as the machine has it, with the settings of its container: it counts for all APIs."""

import re
import shutil
from typing import Any

from deploy.rehearsal.place import LOOPBACK, Place
from deploy.rehearsal.plan import DEPLOY
from deploy.rehearsal.running import Running

SERVICE = "valkey"
_PROGRAMS = ("valkey-server", "redis-server")


def program() -> str | None:
    """Return the first of the two that is there, or None."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def why_none() -> str | None:
    """Return why nothing can count, or None."""
    return None if program() else "neither Valkey nor Redis is installed"


def start(running: Running, place: Place) -> None:
    """Start it on a loopback port and wait until it answers who knows the password."""
    service, settings = place.services[SERVICE], place.folder / "valkey.conf"
    text = (DEPLOY / SERVICE / "valkey.conf").read_text("utf-8")
    text = re.sub(r"(?m)^bind .*$", f"bind {LOOPBACK}", text)
    text = re.sub(r"(?m)^port .*$", f"port {place.ports[SERVICE][0]}\ndir {place.folder}", text)
    text = text.replace("/run/secrets", str(place.handed(service, 0)))
    settings.write_text(text, "utf-8")
    running.start(SERVICE, [str(program()), str(settings)], place.environment(service, 0))
    running.wait(SERVICE, lambda: _answers(place))


def counted(place: Place) -> int:
    """Return how many counts there are of anybody's requests."""
    with _client(place) as client:
        return len(client.keys("*afterglow*"))


def _client(place: Place) -> Any:
    import redis

    return redis.Redis.from_url(place.secret("AFTERGLOW_LIMITS_URL"), socket_timeout=2)


def _answers(place: Place) -> bool:
    import redis

    try:
        with _client(place) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
