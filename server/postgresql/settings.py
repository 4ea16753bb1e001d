"""Settings of a database that is a server, and of many processes on it: a part of `server.settings`."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from server.postgresql.limits import Limits


def _seconds(raw: str) -> int:
    if not raw.isdecimal() or not 1 <= int(raw) <= 3600:
        raise ValueError("must be 1-3600")
    return int(raw)


def _connections(raw: str) -> int:
    if not raw.isdecimal() or not 1 <= int(raw) <= 500:
        raise ValueError("must be 1-500")
    return int(raw)


def _at_once(raw: str) -> int:
    if not raw.isdecimal() or int(raw) > 64:
        raise ValueError("must be 0-64")
    return int(raw)


def _pooler(raw: str) -> str:
    if raw not in ("none", "transaction"):
        raise ValueError("must be none or transaction")
    return raw


def database_address(raw: str) -> str:
    """Return a database's address; ValueError where it is none. It never repeats what may be a password."""
    try:
        make_url(raw)
    except (ArgumentError, ValueError):
        raise ValueError("must be an address as postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME") from None
    return raw


def _time(default: int, text: str) -> Any:
    return field(default=default, metadata={"read": _seconds, "help": text})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a process talks to PostgreSQL; embedded SQLite needs hardly any of it."""

    database_connections: int = field(
        default=10,
        metadata={
            "read": _connections,
            "help": "connections to PostgreSQL a process keeps; as many again for a moment",
        },
    )
    requests_at_once: int = field(
        default=0,
        metadata={
            "read": _at_once,
            "help": "requests an API process works on at once, 1-64; 0: one on SQLite, on PostgreSQL two, "
            "and up to eight the further away it is",
        },
    )
    database_wait_seconds: int = _time(
        3, "how long a request waits for its turn, and for a free connection, before 503"
    )
    database_connect_seconds: int = _time(5, "how long connecting to PostgreSQL may take")
    statement_seconds: int = _time(
        30, "how long one statement of a request may take; of jobs and commands ten times as long"
    )
    lock_seconds: int = _time(10, "how long a statement waits for another transaction")
    idle_transaction_seconds: int = _time(
        60, "how long a transaction may say nothing; of jobs and commands ten times as long"
    )
    database_pooler: str = field(
        default="none",
        metadata={
            "read": _pooler,
            "help": "`transaction` where `DATABASE_URL` leads to a pooler in transaction mode, "
            "as [PgBouncer](postgresql.md#behind-pgbouncer); else `none`",
        },
    )

    direct_database_url: str = field(
        default="",
        metadata={
            "read": database_address,
            "help": "address past the pooler, at which job runners listen for work; "
            "empty means `DATABASE_URL`, and behind a pooler that they keep looking",
        },
    )
    replica_url: str = field(
        default="",
        metadata={
            "read": database_address,
            "help": "address of a streaming replica that patients' reads may go to; empty means none",
        },
    )
    lease_seconds: int = _time(
        120, "for how long a message is one worker's; longer than the slowest mail server takes"
    )

    @property
    def limits(self) -> Limits:
        """How a request talks to the database."""
        return Limits(
            connections=self.database_connections,
            wait=self.database_wait_seconds,
            connect=self.database_connect_seconds,
            statement=self.statement_seconds,
            lock=self.lock_seconds,
            idle=self.idle_transaction_seconds,
            pooler=self.database_pooler == "transaction",
        )
