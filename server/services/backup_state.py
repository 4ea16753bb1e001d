"""What a database holds, to hold a restored one against it: rows a table, ends of audit chains."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, inspect, make_url, select, table, text
from sqlalchemy.orm import Session

from server import isolation
from server.models import Base, Clinic
from server.services import clinic_key as clinic_keys
from server.services.audit import audit_seal as seals
from server.services.work import Work, system

RUN = "backup"
"""Under which name the run ledger has each backup, by the moment it is of."""
_UNFINISHED = "unfinished_restore"
UNFINISHED = f"CREATE TABLE {_UNFINISHED} (why text)"
"""Marks a database whose rows are back, with sign-ins and erased patients that have to go again first."""
_IS_OWNER = text("""
SELECT coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
                 WHERE relname = 'alembic_version' AND relnamespace = current_schema()::regnamespace),
                has_schema_privilege(current_schema(), 'CREATE'), false)
""")
# What is not our owner's, or lies elsewhere: others have put it into the same database. An extension's own
# is dumped with it, by its name alone. Of our tables none is left out, whoever migrated once and owns it.
_OTHERS = text("""
WITH ours AS (
  SELECT relnamespace AS schema, relowner AS owner FROM pg_class
  WHERE relname = 'alembic_version' AND relnamespace = current_schema()::regnamespace
)
SELECT 'schema', quote_ident(nspname) FROM pg_namespace
WHERE oid NOT IN (SELECT schema FROM ours) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT 'table', format('%I.%I', nspname, relname) FROM pg_class
JOIN ours ON relnamespace = schema AND relowner <> owner JOIN pg_namespace n ON n.oid = schema
WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relname <> ALL (:ours)
""")

# Of others' connections a role sees no more than whose they are.
_CONNECTED = text("""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IN (current_user, :role)
""")
_LETS_IN = text("""
SELECT bool_or(has_database_privilege(oid, current_database(), 'CONNECT')) FROM pg_roles WHERE rolname = :role
""")
# When and whether a connection is used the server tells its own role alone.
_USED = text("""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
AND (state <> 'idle' OR state_change > :since)
""")


@dataclass(frozen=True, slots=True)
class State:
    """Rows by table, and by clinic the position and digest at which its audit chain ends.

    ``masters``: the ids of the master keys that open the clinics' keys.
    """

    revision: str
    counts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    masters: list[int] = field(default_factory=list)


def exported(session: Session) -> str:
    """Return PostgreSQL's name of what ``session``, a snapshot, sees: others can see the same by it.

    It may take them hours, in which nothing is said here: until it ends no time-out holds the session.
    """
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return str(session.scalar(text("SELECT pg_export_snapshot()")))


def others(session: Session) -> list[tuple[str, str]]:
    """Return what in a database of PostgreSQL is not ours, by kind (`schema` or `table`) and quoted name."""
    return [(kind, name) for kind, name in session.execute(_OTHERS, {"ours": [*Base.metadata.tables]})]


def is_empty(session: Session) -> bool:
    """Say whether there is nothing to lose: no tables of ours, or no clinic in them."""
    if not inspect(session.connection()).has_table("clinics"):
        return True
    return session.execute(text("SELECT 1 FROM clinics LIMIT 1")).first() is None


def is_owner(session: Session) -> bool:
    """Say whether the role may take the tables away and make them: SQLite has no roles."""
    return session.get_bind().dialect.name != "postgresql" or bool(session.scalar(_IS_OWNER))


def connected(session: Session, address: str) -> int:
    """Return how many others are connected to a database of PostgreSQL by our role, or by ``address``'s."""
    return int(session.scalar(_CONNECTED, {"role": make_url(address).username}) or 0)


def lets_in(session: Session, address: str) -> bool:
    """Say whether the role of ``address`` is there and may connect to the database."""
    return bool(session.scalar(_LETS_IN, {"role": make_url(address).username}))


def in_a_second(session: Session) -> datetime:
    """Return the moment, on the server's clock, from which the connection we ask by lies idle."""
    return cast(datetime, session.scalar(text("SELECT clock_timestamp() + interval '1 second'")))


def used_since(session: Session, since: datetime) -> int:
    """Return how many other connections of our role are in use, or were after ``since``."""
    return int(session.scalar(_USED, {"since": since}) or 0)


def leave_unfinished(session: Session) -> None:
    """Mark what was put back as not fit for use yet."""
    session.execute(text(UNFINISHED))


def is_unfinished(session: Session) -> bool:
    """Say whether a restore has put rows back and not come to its end."""
    return inspect(session.connection()).has_table(_UNFINISHED)


def finish(session: Session) -> None:
    """Take the mark of an unfinished restore away."""
    session.execute(text(f"DROP TABLE {_UNFINISHED}"))


def first_moment(session: Session) -> datetime | None:
    """Return when the first clinic opened; None where there is none."""
    return session.scalar(select(func.min(Clinic.created_at)))


def revision(session: Session) -> str:
    """Return which migration made the tables."""
    return str(session.scalar(text("SELECT version_num FROM alembic_version")))


def counts(session: Session, names: list[str] | None = None) -> dict[str, int]:
    """Return the rows of each table (of ``names``: those of an older version)."""
    return {name: _count(session, name) for name in names or Base.metadata.tables}


def state(session: Session) -> State:
    """Return what the database holds."""
    return State(revision(session), counts(session), ends(session), clinic_keys.masters(session))


def size(session: Session) -> int:
    """Return about how many bytes the database takes."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages, of = (session.scalar(text(f"PRAGMA {one}")) or 0 for one in ("page_count", "page_size"))
    return int(pages * of)


def _count(session: Session, name: str) -> int:
    return session.scalar(select(func.count()).select_from(table(name))) or 0


def ends(session: Session) -> dict[str, tuple[int, str]]:
    """Return where each clinic's audit chain ends."""
    isolation.expect_all(session)
    found: dict[str, Any] = {}
    # Those columns alone that every version has: it is asked before what is restored is migrated.
    for clinic_id, opened in session.execute(select(Clinic.id, Clinic.created_at)).all():
        end = seals.head(Work(session, opened, system(clinic_id)))
        found[str(clinic_id)] = (end.position, end.digest.hex())
    return found
