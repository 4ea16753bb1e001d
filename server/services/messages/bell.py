"""Rings for the workers when something was written that is due at once. They hear it when it is committed."""

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "afterglow_due"
_RUNG = "bell_rung"
_RING = text(f"SELECT pg_notify('{CHANNEL}', '')")


def ring(session: Session) -> None:
    """Ring once a transaction. On SQLite workers look often instead: they are on the same machine."""
    if session.get_bind().dialect.name != "postgresql":
        return
    # What was rung in a savepoint is taken back with it, so only the outer one is remembered.
    is_outer = not session.in_nested_transaction()
    if is_outer and session.info.get(_RUNG):
        return
    session.connection().execute(_RING)
    session.info[_RUNG] = is_outer
