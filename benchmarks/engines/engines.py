"""Each engine, tuned so that a dead worker's jobs are rescued within seconds; imported where asked for."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session

from benchmarks.engines.body import Body
from jobs import deliver
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import Channel
from server.postgresql.bell import Bell
from server.postgresql.limits import Limits
from server.services.messages.bell import CHANNEL, ring

# Seconds after which a worker that says nothing is dead, and how many jobs one works at.
SILENT, AT_ONCE = 6, 4


class Engine(Protocol):
    """One engine. ``transactional``: jobs are handed over in the transaction of their data."""

    transactional: bool
    body: Body

    def set_up(self) -> None:
        """Make what it keeps its jobs in."""

    def hand_over(self, session: Session, ids: Sequence[str]) -> None:
        """Enqueue jobs: inside the transaction where that can be, else right after it."""

    def work(self) -> None:
        """Be a worker until killed."""

    def waiting(self, session: Session) -> int:
        """Return how many jobs wait in the engine's own store."""


class Claim:
    """Ours: the row is the job."""

    transactional = True

    def __init__(self, body: Body, _redis: str) -> None:
        self.body = body

    def set_up(self) -> None:
        """Nothing: the outbox is a table."""

    def hand_over(self, session: Session, ids: Sequence[str]) -> None:
        """The rows are there."""
        ring(session)

    def work(self) -> None:
        """Run the job as `afterglow work` does."""
        gateways: dict[Channel, Any] = {Channel.EMAIL: self.body.far_end}
        around = Around(
            self.body.database,
            self.body.settings,
            gateways,
            linger=timedelta(seconds=50),
            lease=timedelta(seconds=SILENT),
            hands=AT_ONCE,
            bell=Bell(),
        )
        with around.bell.hung(self.body.settings.sqlalchemy_url, Limits().bell_args(), CHANNEL):
            while True:
                _careless(lambda: deliver.run(around, datetime.now(UTC)))

    def waiting(self, session: Session) -> int:
        """What waits is in the table."""
        return 0


def _careless(run: Callable[[], Any]) -> None:
    try:
        run()
    except Incomplete:
        time.sleep(0.1)


class Procrastinate:
    """PostgreSQL; the rescue is ours to write."""

    transactional = True

    def __init__(self, body: Body, _redis: str) -> None:
        import procrastinate

        self.body = body
        dsn = body.settings.sqlalchemy_url.replace("+psycopg", "")
        self.sync = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=dsn))
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
        self.task = self.sync.task(name="send")(body.send_one)
        self.app.task(name="send")(body.send_one)

    def set_up(self) -> None:
        """Apply its schema."""
        with self.sync.open():
            self.sync.schema_manager.apply_schema()

    def hand_over(self, session: Session, ids: Sequence[str]) -> None:
        """Defer on our own connection: committed with the rows."""
        driver = session.connection().connection.driver_connection
        with self.sync.open():
            task = self.task.configure(connection=driver)
            task.batch_defer(*({"delivery_id": one} for one in ids))

    def work(self) -> None:
        """Work, and look for the jobs of the dead."""
        asyncio.run(self._work())

    async def _work(self) -> None:
        async with self.app.open_async():
            rescue = asyncio.create_task(self._rescue())
            await self.app.run_worker_async(
                concurrency=AT_ONCE,
                update_heartbeat_interval=2,
                # Else it forgets a dead worker with its jobs before anybody rescued those.
                stalled_worker_timeout=10 * SILENT,
                fetch_job_polling_interval=1,
                delete_jobs="successful",
            )
            rescue.cancel()

    async def _rescue(self) -> None:
        while True:
            for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
                await self.app.job_manager.retry_job(job)
            await asyncio.sleep(1)

    def waiting(self, session: Session) -> int:
        """Count its table."""
        from sqlalchemy import text

        return session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()


class Dramatiq:
    """Redis; two of its defaults must be changed."""

    transactional = False

    def __init__(self, body: Body, redis: str) -> None:
        import dramatiq
        from dramatiq.brokers.redis import RedisBroker

        self.body = body
        self.broker = RedisBroker(url=redis, heartbeat_timeout=SILENT * 1000, maintenance_chance=50_000)
        dramatiq.set_broker(self.broker)
        self.actor = dramatiq.actor(actor_name="send", max_retries=5)(body.send_one)

    def set_up(self) -> None:
        """Nothing."""

    def hand_over(self, session: Session, ids: Sequence[str]) -> None:
        """Send one by one."""
        for one in ids:
            self.actor.send(one)

    def work(self) -> None:
        """Be one of its worker processes, threads and all."""
        from dramatiq import Worker

        Worker(self.broker, worker_threads=AT_ONCE).start()
        threading.Event().wait()

    def waiting(self, session: Session) -> int:
        """Count its queue, and what dead workers hold."""
        keys = self.broker.client.keys("dramatiq:*")
        held = sum(self.broker.client.scard(key) for key in keys if b"__acks__" in key)
        return int(self.broker.client.llen("dramatiq:default")) + held


class Celery:
    """Redis; late acknowledgement and a short visibility, without which a killed worker's job is gone."""

    transactional = False

    def __init__(self, body: Body, redis: str) -> None:
        from celery import Celery as App

        self.body = body
        self.app = App("bench", broker=redis)
        self.app.conf.update(
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            worker_prefetch_multiplier=1,
            broker_transport_options={"visibility_timeout": SILENT},
            broker_connection_retry_on_startup=True,
            task_ignore_result=True,
        )

        # It would take a method for a function without its object.
        def send(delivery_id: str) -> None:
            body.send_one(delivery_id)

        self.task = self.app.task(name="send")(send)

    def set_up(self) -> None:
        """Nothing."""

    def hand_over(self, session: Session, ids: Sequence[str]) -> None:
        """Send one by one."""
        for one in ids:
            self.task.delay(one)

    def work(self) -> None:
        """Be a worker of threads, so that its death is that of the process."""
        options = ["worker", "-P", "threads", "-c", str(AT_ONCE), "--without-gossip", "--without-mingle"]
        self.app.worker_main([*options, "-l", "ERROR", "-n", f"{time.time_ns()}@bench"])

    def waiting(self, session: Session) -> int:
        """Count its queue, and what is not acknowledged."""
        with self.app.connection_for_read() as connection:
            client = connection.default_channel.client
            return int(client.llen("celery") + client.hlen("unacked"))


ENGINES: dict[str, Callable[[Body, str], Engine]] = {
    "our claim": Claim,
    "Procrastinate": Procrastinate,
    "Dramatiq": Dramatiq,
    "Celery": Celery,
}


def engine(name: str, url: str, folder: Path, redis: str) -> Engine:
    """Return an engine by its name."""
    return ENGINES[name](Body(url, folder), redis)
