"""How many connections a process keeps, and how long it waits for what."""

from dataclasses import dataclass, replace
from typing import Any

# Work that nobody waits for at a screen may take so many times as long.
UNHURRIED = 10
# Seconds until a server that vanished without a word is noticed on a connection in use.
SILENCE = 20
# Seconds after which the answer to a statement must be there that the server should have ended by then.
LATE = 5
# What people reported stands in parameters: the server's log quotes none of a statement that failed. Of one
# that was slow it takes a superuser to say so (`server.migrations.rows.hush`).
NO_PARAMETERS = {"log_parameter_max_length_on_error": 0}


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. ``connections``: kept, and as many again for a moment.

    ``wait``: for a free connection; ``connect``: for the server; ``statement``, ``lock``: one statement, and
    its waiting for another transaction; ``idle``: a transaction in which nothing is said. ``pooler``: a
    connection pooler hands each transaction to any connection, so nothing may be kept on one.
    """

    connections: int = 10
    wait: int = 3
    connect: int = 5
    statement: int = 30
    lock: int = 10
    idle: int = 60
    pooler: bool = False

    def unhurried(self) -> "Limits":
        """Return those of jobs and commands."""
        return replace(self, statement=self.statement * UNHURRIED, idle=self.idle * UNHURRIED)

    @property
    def answer(self) -> int:
        """How long the answer to a statement is waited for: longer than the server lets it take."""
        return self.statement + LATE

    def engine_options(self) -> dict[str, Any]:
        """Return what SQLAlchemy's engine is made with."""
        return {
            "pool_size": self.connections,
            "max_overflow": self.connections,
            "pool_timeout": self.wait,
            "connect_args": self.connect_args(),
        }

    def connect_args(self) -> dict[str, Any]:
        """Return what the driver connects with.

        A pooler refuses what is asked of the server at the start of a connection; there its own
        configuration sets the time-outs (docs/operations.md).
        """
        if self.pooler:
            # A statement prepared on one connection of the server is not there on the next.
            return {**self._reach(), "prepare_threshold": None}
        return {**self._reach(), "options": self._asked()}

    def bell_args(self) -> dict[str, Any]:
        """Return what a bell connects with: it says nothing for hours, so no time-out may end it."""
        return self._reach()

    def _reach(self) -> dict[str, Any]:
        return {
            # Else the driver takes the server's for that of the texts it gives.
            "client_encoding": "utf8",
            "connect_timeout": self.connect,
            "keepalives_idle": SILENCE,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": SILENCE * 1000,
        }

    def _asked(self) -> str:
        seconds = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        asked = {name: most * 1000 for name, most in seconds.items()} | NO_PARAMETERS
        return " ".join(f"-c {name}={value}" for name, value in asked.items())


DEFAULT = Limits()
