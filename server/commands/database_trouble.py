"""What a person can mend where the database fails, by the kind of its error: its text may quote rows."""

from sqlalchemy.exc import DBAPIError

_FULL = "The database's disk is full. Make room there and try again."
_HELD = "Others hold for too long what this needs in the database. Try again, or stop them."
_CLOSED = "The database's file can't be opened or written here: look at whose it is, and at its folder."
_DAMAGED = (
    "The database's file is damaged, or is none. Stop everything, move it away with what is named like it "
    "(-wal, -shm), and restore a backup."
)
# By the primary result code (https://www.sqlite.org/rescode.html).
_SQLITE = {
    3: _CLOSED,
    5: _HELD,
    6: _HELD,
    8: _CLOSED,
    10: "The database's disk failed, or is full: a file can't be read or written.",
    11: _DAMAGED,
    13: _FULL,
    14: _CLOSED,
    26: _DAMAGED,
}
# By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRESQL = {
    "25006": "The database takes no writes: it is a standby, or was made read-only.",
    "40001": _HELD,
    "40P01": _HELD,
    "53100": _FULL,
    "55P03": _HELD,
    "57014": "The database was given too little time: AFTERGLOW_STATEMENT_SECONDS sets more.",
}


def told(error: DBAPIError) -> str | None:
    """Return the sentence for ``error``; None where its kind says nothing that a person can mend."""
    code, state = (getattr(error.orig, name, None) for name in ("sqlite_errorcode", "sqlstate"))
    return _SQLITE.get(code & 0xFF) if isinstance(code, int) else _POSTGRESQL.get(str(state))
