"""Statements that travel together to PostgreSQL: each of them alone would be a way there and back.

What begins a transaction, rows that are written, and questions that are known ahead, wait until it sends its
next statement: they go before it, in their order, in the same round trip. What the database refuses of them
shows there, or at the commit, which sends what still waits. An embedded database is no way off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

# A key of `Connection.info`: those who wait. And one of `Session.info`: whether anybody ever did.
_WAITING, _JOINED = "waiting", "joined"


@dataclass(frozen=True, slots=True, eq=False)
class Traveller:
    """A statement as the driver takes it, with the values of one or more rows.

    ``answered`` takes the driver's cursor once the answer is there; None where there is none to expect.
    """

    text: str
    rows: Sequence[Any]
    answered: Callable[[Any], None] | None = None
    # What begins a transaction is never worth preparing, nor sending alone.
    begins: bool = False

    def set_out(self, driver: Any) -> Any:
        """Send it, within a pipeline of the ``driver``'s connection; return its cursor."""
        cursor = driver.cursor()
        if len(self.rows) == 1:
            cursor.execute(self.text, self.rows[0], prepare=False if self.begins else None)
        else:
            cursor.executemany(self.text, self.rows)
        return cursor


def travels(connection: Connection) -> bool:
    """Return whether there is a way to go."""
    return connection.dialect.name == "postgresql"


def begin(connection: Connection, statements: Sequence[str]) -> None:
    """Let ``statements`` wait, which begin a transaction of ``connection``: alone they never go."""
    connection.info[_WAITING] = [Traveller(text, [None], begins=True) for text in statements]


def join(session: Session, one: Traveller) -> None:
    """Let ``one`` wait for the next statement of the transaction of ``session``."""
    session.info[_JOINED] = True
    session.connection().info.setdefault(_WAITING, []).append(one)


def leave(connection: Connection, one: Traveller) -> None:
    """Let ``one`` not travel after all, if it still waits."""
    waiting: list[Traveller] = connection.info.get(_WAITING, [])
    if one in waiting:
        waiting.remove(one)


def forget(connection: Connection, *_: Any) -> None:
    """Let nobody wait any longer: what they belong to is taken back. A listener of the engine."""
    if not connection.invalidated:  # who waited on one that died went with it
        connection.info.pop(_WAITING, None)


def settle(session: Session) -> None:
    """Send what still waits, but for questions that nobody asks now: before a commit, or a savepoint's end.

    A savepoint that can't be ended takes nothing back any more: what is refused must show before.
    """
    if not session.info.pop(_JOINED, False):
        return
    connection = session.connection()
    waiting = [one for one in connection.info.get(_WAITING, ()) if one.answered is None]
    last = waiting.pop() if waiting and not waiting[-1].begins else None
    connection.info[_WAITING] = waiting  # what begins the transaction goes with what may still come
    if last is not None:
        connection.exec_driver_sql(last.text, list(last.rows))


def go_ahead(connection: Connection, driver: Any, send: Callable[[], object]) -> bool:
    """Send those who wait, and ``send``, in one round trip; False, and nothing sent, where nobody does."""
    waiting: Sequence[Traveller] = connection.info.pop(_WAITING, ())
    if not waiting:
        return False
    with driver.pipeline():
        sent = [(one, one.set_out(driver)) for one in waiting]
        send()
    for one, cursor in sent:
        if one.answered is not None:
            one.answered(cursor)
    return True
