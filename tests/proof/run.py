"""One run of the proof: a fleet under load and under fire, its history in a file for the checker."""

import base64
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message as Received
from pathlib import Path
from random import Random

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler

from server.database import Database
from server.settings import PREFIX, Settings, variables
from tests.pgbouncer import pooled
from tests.ports import free_port
from tests.postgresql_server import Server, migrated
from tests.proof import clinic
from tests.proof.fleet import PATIENCE, Fleet, Member, fleet_of
from tests.proof.history import History
from tests.proof.phone import Phone

KEY = base64.b64encode(b"p" * 32).decode()


@dataclass(frozen=True)
class Plan:
    """Seconds of load and between two kills; how many of what; for how long the database is away."""

    seed: int
    seconds: float = 40.0
    every: float = 4.0
    shape: tuple[int, int, int] = (3, 4, 2)
    patients: int = 48
    pause: float = 0.3
    outage: float = 1.5
    lease: int = 4
    # At these messages every worker dies after the mail server has it and before it says so.
    deadly: frozenset[int] = frozenset({3, 9, 17})
    # Whether PgBouncer stands between the fleet and the database.
    pooler: bool = False


class MailServer(Handler):
    """Notes each message it takes. At some of them all workers die before they hear of it (F4)."""

    def __init__(self, history: History, deadly: frozenset[int]) -> None:
        super().__init__()
        self._history, self._deadly, self._taken = history, deadly, 0
        self.workers: list[Member] = []

    def handle_message(self, message: Received) -> None:
        """Note it under its id."""
        self._history.add("mail", id=str(message["Message-ID"]).strip("<>").partition("@")[0])
        self._taken += 1
        for worker in self.workers if self._taken in self._deadly else ():
            _kill(worker, self._history)


def run(plan: Plan, server: Server, folder: Path) -> Path:
    """Do it on ``server`` and return the file of the history."""
    file = folder / "history.jsonl"
    history = History(file, plan.seed)
    history.add("run", seed=plan.seed, plan=str(plan))
    mail = MailServer(history, plan.deadly)
    between = pooled(server, size=15) if plan.pooler else contextlib.nullcontext(server.url)
    with listening(mail) as port, contextlib.closing(history), between as way:
        url = migrated(server.url)
        settings = Settings(database_url=url, data_dir=folder, jwt_key="j" * 32, master_key=KEY)
        environment = environment_of(settings, port, plan) | _reached(way, url)
        with fleet_of(plan.shape, environment) as fleet:
            phones = clinic.open_clinic(settings, plan.patients, fleet.ports, history)
            mail.workers = fleet.workers
            live(plan, phones, lambda: _fire(plan, fleet, server, history))
            end(fleet, phones, url, history)
    return file


@contextmanager
def listening(mail: MailServer) -> Iterator[int]:
    controller = Controller(mail, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _reached(way: str, url: str) -> dict[str, str]:
    """Return how the fleet reaches the database."""
    if way == url:
        return {f"{PREFIX}DATABASE_URL": url}
    wanted = {"DATABASE_URL": way, "DIRECT_DATABASE_URL": url, "DATABASE_POOLER": "transaction"}
    return {PREFIX + name: value for name, value in wanted.items()}


def environment_of(settings: Settings, port: int, plan: Plan) -> dict[str, str]:
    wanted = {
        "DATA_DIR": str(settings.data_dir),
        "JWT_KEY": settings.jwt_key,
        "MASTER_KEY": settings.master_key,
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "PASSWORD_COST": "cheap",
        "LEASE_SECONDS": str(plan.lease),
        # The phones of the proof are many, and one address.
        "REQUESTS_PER_MINUTE": "0",
    }
    return {PREFIX + name: value for name, value in wanted.items() if PREFIX + name in variables()}


def live(plan: Plan, phones: list[Phone], fire: Callable[[], None]) -> None:
    """Let every phone live while ``fire`` goes on."""
    stopping = threading.Event()
    for phone in phones:
        phone.red_after = time.monotonic() + phone.random.uniform(0, plan.seconds)
    threads = [threading.Thread(target=one.live, args=(stopping, plan.pause), daemon=True) for one in phones]
    for thread in threads:
        thread.start()
    try:
        fire()
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE)


def _fire(plan: Plan, fleet: Fleet, server: Server, history: History) -> None:
    """Kill one worker and one API process every few seconds; in the middle, the database."""
    random, began, halfway = Random(plan.seed), time.monotonic(), False
    while (passed := time.monotonic() - began) < plan.seconds:
        _kill(random.choice(fleet.workers), history)
        _kill(random.choice(fleet.apis), history)
        if passed > plan.seconds / 2 and not halfway:
            halfway = True
            _cut_off(server, plan.outage, history)
            _pause(random.choice(fleet.workers), plan.lease + 1, history)
        time.sleep(plan.every * random.uniform(0.7, 1.3))
        fleet.tend()


def _kill(member: Member, history: History) -> None:
    history.add("fault", what=f"kill -9 {member.name.split()[0]}", who=member.name)
    member.replace()


def _cut_off(server: Server, seconds: float, history: History) -> None:
    history.add("fault", what="database stopped at once")
    server.stop()
    time.sleep(seconds)
    server.start()
    history.add("note", what="database is back")


def _pause(member: Member, seconds: float, history: History) -> None:
    """Stop a worker for longer than its lease, and let it go on as if nothing had been (F7)."""
    history.add("fault", what="worker paused", who=member.name)
    member.signal(signal.SIGSTOP)
    threading.Timer(seconds, member.signal, (signal.SIGCONT,)).start()


def end(fleet: Fleet, phones: list[Phone], url: str, history: History) -> None:
    """Let what waits be sent and pulled, then stop the fleet and write down what is there."""
    fleet.wait_until_ready()
    database = Database(url)
    until, never = time.monotonic() + PATIENCE, threading.Event()
    patience = threading.Timer(PATIENCE, never.set)
    patience.start()
    for phone in phones:
        phone.insist(never)
        while not phone.pull() and time.monotonic() < until:
            time.sleep(0.2)
    patience.cancel()
    until = time.monotonic() + PATIENCE
    while clinic.waiting(database) and time.monotonic() < until:
        time.sleep(0.2)
    late = fleet.stop()
    history.add("end", state=clinic.end_state(database) | {"late": [{"name": name} for name in late]})
    database.close()
