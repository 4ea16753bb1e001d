"""Row-level security (PostgreSQL): whose rows a role that does not own the tables may touch, and how.

A table that holds a clinic's rows gives a transaction those of the clinic it was opened for
(`server.isolation`), and none where that was not said. Forced: its owner is held to it as well.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from server.isolation import CLINIC, EVERY_CLINIC

POLICY = "own_clinic"
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

_TABLES = text("""
SELECT c.relname,
       c.relrowsecurity AND c.relforcerowsecurity
       AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = :policy)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
  AND (c.relname = ANY(:named) OR EXISTS (
    SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'clinic_id' AND NOT a.attisdropped))
ORDER BY c.relname
""")


def open_tables(connection: Connection) -> Sequence[str]:
    """Return the tables with clinics' rows that give them to everybody, by name."""
    return [name for name, is_closed in _tables(connection) if not is_closed]


def protect(connection: Connection) -> None:
    """Close every table that still gives its rows to everybody. A second time changes nothing."""
    for name in open_tables(connection):
        rule = _RULE.format(column=_OWNER_OF.get(name, "clinic_id"))
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
        connection.exec_driver_sql(f"CREATE POLICY {POLICY} ON {name} USING ({rule})")


def unprotect(connection: Connection) -> None:
    """Open every table again."""
    for name, _ in _tables(connection):
        connection.exec_driver_sql(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
        connection.exec_driver_sql(
            f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"
        )


def grant(connection: Connection, role: str) -> None:
    """Let ``role`` read and write rows, and nothing else: no tables made, changed or emptied."""
    run, preparer = connection.exec_driver_sql, connection.dialect.identifier_preparer
    who, schema = preparer.quote(role), preparer.quote(connection.scalar(text("SELECT current_schema()")))
    run(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {who}")
    run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {who}")
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


def _password(connection: Connection, name: str, password: str | None) -> str:
    if password is None:
        return ""
    driver = connection.connection.driver_connection
    assert driver is not None
    hidden = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    return f" PASSWORD '{hidden}'"


def _tables(connection: Connection) -> Sequence[tuple[str, bool]]:
    found = connection.execute(_TABLES, {"policy": POLICY, "named": list(_OWNER_OF)})
    return [(name, is_closed) for name, is_closed in found]
