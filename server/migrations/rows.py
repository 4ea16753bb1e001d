"""Row-level security (PostgreSQL): whose rows a role that does not own the tables may touch, and how.

A table that holds a clinic's rows gives a transaction those of the clinic it was opened for
(`server.isolation`), and none where that was not said. Forced: its owner is held to it as well.

In two steps, so that a version that says no clinic and works as the owner goes on until it is replaced: from
one migration on every other role is held, from a later one the owner too.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import ProgrammingError

from server.isolation import CLINIC, EVERY_CLINIC

POLICY = "own_clinic"
HELD_SINCE, LAST_NOT_FORCED, FORCED_SINCE = "0007", "0021", "0022"
# Which column names the clinic, in the table of clinics itself.
_OWNER_OF = {"clinics": "id"}
# What was written there stays: nobody changes or removes it, also not by mistake.
APPEND_ONLY = ("audit_events", "audit_seals")
READ_ONLY = ("alembic_version",)

# After a transaction that set it, the setting is an empty text and not absent; neither is an id. As scalar
# subqueries they are worked out once a statement and not once a row.
_RULE = (
    f"{{column}} = (SELECT nullif(current_setting('{CLINIC}', true), '')::uuid) "
    f"OR (SELECT current_setting('{EVERY_CLINIC}', true)) = 'yes'"
)

_HERE = text("SELECT current_database()")
_NOT_ALLOWED = "42501"
_IS_HUSHED = text("""
SELECT EXISTS (
  SELECT 1 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
  WHERE r.rolname = :name AND 'log_parameter_max_length=0' = ANY(s.setconfig)
  AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
""")

# Others may have tables in our schema, or an extension: nobody but them can give rights on theirs.
_OURS = text("""
SELECT string_agg(quote_ident(relname), ', ') FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
AND pg_has_role(relowner, 'USAGE')
""")
_TABLES = text("""
SELECT c.relname,
       c.relrowsecurity AND EXISTS (
         SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = :policy) AS is_held,
       c.relforcerowsecurity AS is_forced
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
  AND (c.relname = ANY(:named) OR EXISTS (
    SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'clinic_id' AND NOT a.attisdropped))
ORDER BY c.relname
""")


def open_tables(connection: Connection) -> Sequence[str]:
    """Return the tables with clinics' rows that give them to somebody who said no clinic, by name."""
    return [row.relname for row in _tables(connection) if not (row.is_held and row.is_forced)]


def close_as_far_as(connection: Connection, revision: str | None) -> None:
    """Close what tables are open, as far as a database of ``revision`` has them closed.

    Whatever order tables came in, none is left out.
    """
    if revision is not None and revision >= HELD_SINCE:
        hold(connection)
    if revision is not None and revision >= FORCED_SINCE:
        force(connection)


def protect(connection: Connection) -> None:
    """Close every table that still gives its rows to anybody. A second time changes nothing."""
    hold(connection)
    force(connection)


def hold(connection: Connection) -> None:
    """Hold every role to its clinic but the tables' owner. A second time changes nothing."""
    for name in not_held(connection):
        hold_one(connection, name)


def force(connection: Connection) -> None:
    """Hold the tables' owner too. A second time changes nothing."""
    for name in not_forced(connection):
        force_one(connection, name)


def not_held(connection: Connection) -> list[str]:
    """Return the tables that give their rows to any role, by name."""
    return [row.relname for row in _tables(connection) if not row.is_held]


def not_forced(connection: Connection) -> list[str]:
    """Return the tables that give their rows to their owner."""
    return [row.relname for row in _tables(connection) if not row.is_forced]


def forced(connection: Connection) -> list[str]:
    """Return the tables that hold their owner."""
    return [row.relname for row in _tables(connection) if row.is_forced]


def held(connection: Connection) -> list[str]:
    """Return the tables that hold every role but their owner."""
    return [row.relname for row in _tables(connection) if row.is_held]


def hold_one(connection: Connection, name: str) -> None:
    """Hold every role but the owner at one table."""
    rule = _RULE.format(column=_OWNER_OF.get(name, "clinic_id"))
    connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    connection.exec_driver_sql(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
    connection.exec_driver_sql(f"CREATE POLICY {POLICY} ON {name} USING ({rule})")


def force_one(connection: Connection, name: str) -> None:
    """Hold the owner at one table."""
    connection.exec_driver_sql(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def unforce(connection: Connection) -> None:
    """Let the tables' owner see every row again; others are held as before."""
    for name in forced(connection):
        let_owner_go(connection, name)


def unprotect(connection: Connection) -> None:
    """Open every table again."""
    unforce(connection)
    for name in held(connection):
        let_go(connection, name)


def let_owner_go(connection: Connection, name: str) -> None:
    """Let the owner of one table see all of its rows."""
    connection.exec_driver_sql(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")


def let_go(connection: Connection, name: str) -> None:
    """Open one table to every role that has rights on it."""
    connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
    connection.exec_driver_sql(f"DROP POLICY IF EXISTS {POLICY} ON {name}")


def grant(connection: Connection, role: str) -> None:
    """Let ``role`` read and write rows, and nothing else: no tables made, changed or emptied."""
    run, preparer = connection.exec_driver_sql, connection.dialect.identifier_preparer
    who, schema = preparer.quote(role), preparer.quote(connection.scalar(text("SELECT current_schema()")))
    run(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {who}")
    run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {connection.scalar(_OURS)} TO {who}")
    for name in APPEND_ONLY:
        run(f"REVOKE UPDATE, DELETE ON {name} FROM {who}")
    for name in READ_ONLY:
        run(f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {who}")


def make_role(connection: Connection, name: str, password: str | None) -> None:
    """Make the role ``name`` that may sign in and nothing else, unless there is one.

    The password goes to the server, and into its logs, in the form it is stored in.
    """
    if connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": name}):
        return
    who = connection.dialect.identifier_preparer.quote(name)
    wanted = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION"
    connection.exec_driver_sql(f"CREATE ROLE {who} {wanted}{_password(connection, name, password)}")


def hush(connection: Connection, role: str) -> bool:
    """Let the server's log quote no parameters of ``role``'s statements here: they hold what people said.

    Return whether that is so now. Only a superuser may ask for it, or who was given the right to.
    """
    if connection.scalar(_IS_HUSHED, {"name": role}):
        return True
    quote, name = connection.dialect.identifier_preparer.quote, connection.scalar(_HERE)
    wanted = f"ALTER ROLE {quote(role)} IN DATABASE {quote(name)} SET log_parameter_max_length = 0"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(wanted)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        return False
    return True


def _password(connection: Connection, name: str, password: str | None) -> str:
    if password is None:
        return ""
    driver = connection.connection.driver_connection
    assert driver is not None
    hidden = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    return f" PASSWORD '{hidden}'"


def _tables(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(_TABLES, {"policy": POLICY, "named": list(_OWNER_OF)}).all()
