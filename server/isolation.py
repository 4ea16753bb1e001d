"""Whose rows a transaction may touch: said before its first statement, and held by PostgreSQL itself.

Every query is scoped to a clinic anyway. This is the second lock: the tables' policies let a transaction see
and write the rows of the clinic it was opened for, so a condition that somebody forgot finds nothing.

A `Work` says the clinic: its actor's. What can't know it yet, or looks across clinics, names an `Extent`.
"""

from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

CLINIC = "afterglow.clinic"
EVERY_CLINIC = "afterglow.every_clinic"
# Keys of `Session.info`: whose rows; whether PostgreSQL was told so, in a transaction that is open; and
# whether all of that transaction sees one state.
_WHOSE, _TOLD, _FROZEN = "whose", "told", "frozen"


class Extent(Enum):
    """What a transaction without a clinic of its own may touch.

    ``NONE``: no clinic's rows, only what belongs to none (the run ledger). ``DOOR``: every clinic's until a
    `Work` says which, for who comes with a name or a secret that tells the clinic. ``ALL``: every clinic's.
    """

    NONE = "none"
    DOOR = "door"
    ALL = "all"


Whose = UUID | Extent


class IsolationError(RuntimeError):
    """A defect of ours: a transaction did not say whose rows it touches, or reached for another clinic's."""


def open_for(session: Session, whose: Whose | None) -> None:
    """Note whose rows ``session`` is for; None leaves it to the first `Work`."""
    if whose is not None:
        session.info[_WHOSE] = whose


def enter(session: Session, clinic_id: UUID) -> None:
    """Hold ``session`` to the rows of ``clinic_id`` from now on, unless it is for all clinics.

    Raises IsolationError where it is for another clinic, or for none.
    """
    held = session.info.get(_WHOSE)
    if held is Extent.ALL or held == clinic_id:
        return
    if held not in (None, Extent.DOOR):
        raise IsolationError("This transaction is for somebody else's rows.")
    session.info[_WHOSE] = clinic_id
    if session.info.get(_TOLD):
        session.connection().execute(_NARROW, {"clinic": str(clinic_id)})


def freeze(session: Session) -> None:
    """Let all questions of ``session``'s transaction, which begins later, see one state."""
    session.info[_FROZEN] = True


def expect_all(session: Session) -> None:
    """Raise IsolationError where ``session`` is held to one clinic and would find nothing of others."""
    if session.info.get(_WHOSE) not in (None, Extent.DOOR, Extent.ALL):
        raise IsolationError("This looks at every clinic, and the transaction is for one: name an Extent.")


def beginning(session: Session) -> list[str]:
    """Return the statements that begin a transaction of ``session`` on PostgreSQL.

    Raises IsolationError where nobody said whose rows it is for.
    """
    whose = session.info.get(_WHOSE)
    if whose is None:
        raise IsolationError("Say whose rows this is for: make a Work first, or name an Extent.")
    session.info[_TOLD] = True
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if session.info.get(_FROZEN) else "BEGIN"
    if whose is Extent.NONE:
        return [begin]
    if isinstance(whose, UUID):
        return [begin, f"SET LOCAL {CLINIC} = '{whose}'"]
    return [begin, f"SET LOCAL {EVERY_CLINIC} = 'yes'"]


# As before any statement of the transaction, but within it.
_NARROW = text(f"SELECT set_config('{EVERY_CLINIC}', '', true), set_config('{CLINIC}', :clinic, true)")
