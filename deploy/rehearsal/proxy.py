"""nginx as the machine has it, with the settings of its container: everybody comes in through it."""

import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from deploy.rehearsal.place import LOOPBACK, Place
from deploy.rehearsal.plan import DEPLOY
from deploy.rehearsal.running import Running

PROGRAM = "nginx"
_LOGS, _SCRATCH = "/var/log/nginx", "/tmp"
_MAIN = "container.conf"


def program() -> str | None:
    """Return where nginx is, or None."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path="/usr/sbin")


def why_none() -> str | None:
    """Return why no proxy can be started, or None."""
    return None if program() else "nginx is not installed"


def start(running: Running, place: Place) -> None:
    """Start it on a loopback port, in front of every API, and wait until it answers."""
    run(running, place, settle(place))


def run(running: Running, place: Place, settings: Path) -> None:
    """Start it with ``settings`` and wait until it answers."""
    service = place.services[PROGRAM]
    words = [str(program()), "-c", str(settings), *service.command[3:]]
    running.start(PROGRAM, words, place.environment(service, 0))
    running.wait(PROGRAM, lambda: _answers(place))


def settle(place: Place) -> Path:
    """Write its settings as they are on this machine, and return the file that it is started with."""
    folder = place.folder / PROGRAM
    for part in ("", "settings", "logs", "scratch"):
        (folder / part).mkdir(exist_ok=True)
    for file in (DEPLOY / PROGRAM).glob("*.conf"):
        (folder / "settings" / file.name).write_text(_here(place, file.read_text("utf-8")), "utf-8")
    return folder / "settings" / _MAIN


def _here(place: Place, text: str) -> str:
    folder, service = place.folder / PROGRAM, place.services[PROGRAM]
    # A name that is looked up again and again is the engine's; here each API has a port.
    text = re.sub(r"(?m)^ *resolver .*$", "", text)
    apis = "\n".join(f"server {LOOPBACK}:{port} \\1;" for port in place.ports["api"])
    text = re.sub(r"server api:\d+ resolve ([^;]*);", apis, text)
    text = re.sub(rf"listen {service.port} ", f"listen {LOOPBACK}:{place.ports[PROGRAM][0]} ", text)
    places = {
        _LOGS: folder / "logs",
        _SCRATCH: folder / "scratch",
        "/etc/nginx/afterglow": folder / "settings",
        "/run/secrets": place.handed(service, 0),
    }
    # All at once: what took a place's turn may itself lie below another one, as in /tmp.
    return re.sub("|".join(f"{target}/" for target in places), lambda at: f"{places[at[0][:-1]]}/", text)


def address(place: Place) -> str:
    """Return where it answers."""
    return f"https://localhost:{place.ports[PROGRAM][0]}"


def trust(place: Place) -> ssl.SSLContext:
    """Return what takes its self-made certificate for good, and no other."""
    return ssl.create_default_context(cafile=str(place.secrets / "proxy.crt"))


def shares(place: Place) -> Mapping[str, int]:
    """Return how many requests each API answered, by its address, as the log has it."""
    found = re.findall(r" api=(\S+) api_status=\d{3} ", log(place))
    return {api: found.count(api) for api in found}


def log(place: Place) -> str:
    """Return all that it wrote of requests, in either of its logs."""
    files = sorted((place.folder / PROGRAM / "logs").glob("*.log"))
    return "".join(file.read_text("utf-8") for file in files)


def _answers(place: Place) -> bool:
    try:
        urllib.request.urlopen(f"{address(place)}/livez", timeout=5, context=trust(place)).close()
    except urllib.error.HTTPError:
        return True  # whatever it is that it says
    except OSError:
        return False
    return True
