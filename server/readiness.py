"""What must be true before anything starts: crisis lines that can be used and are fresh, secrets that nobody
guesses, and a role in the database that isolation binds.
"""

import base64
import logging
from datetime import date
from pathlib import Path

from sqlalchemy import text

from server.clinical.crisis_lines import SHIPPED, CrisisLinesError, Directory
from server.database import Database
from server.keys.strength import why_weak, why_weak_text
from server.settings import PREFIX, Settings, SettingsError, check_strength, signing_keys

log = logging.getLogger(__name__)
_NAME = f"{PREFIX}CRISIS_LINES"
# Whoever is, or may become by SET ROLE: a role that passes policies by, gives itself other roles, or reaches
# the server's files and programs and so its superuser; the owner of the database, or of a table, who can
# switch its policies off.
_FREE = text("""
SELECT EXISTS (
  SELECT 1 FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER') AND (
    r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolname IN (
      'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')))
OR EXISTS (
  SELECT 1 FROM pg_database WHERE datname = current_database()
  AND pg_has_role(current_user, datdba, 'MEMBER'))
OR EXISTS (
  SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  AND pg_has_role(current_user, relowner, 'MEMBER'))
""")
# Whether the server's log would quote parameters of a statement that failed, is slow, is looked at by chance,
# or is one of all; or plans, in which they stand as well.
_QUOTES = text("""
SELECT coalesce(current_setting('log_parameter_max_length_on_error', true), '0') <> '0'
OR coalesce(current_setting('auto_explain.log_min_duration', true), '-1') <> '-1'
OR (coalesce(current_setting('log_parameter_max_length', true), '-1') <> '0' AND (
  current_setting('log_min_duration_statement') <> '-1'
  OR coalesce(current_setting('log_min_duration_sample', true), '-1') <> '-1'
  OR coalesce(current_setting('log_transaction_sample_rate', true), '0') <> '0'
  OR current_setting('log_statement') IN ('mod', 'all')))
""")


def crisis_directory(settings: Settings, today: date) -> Directory:
    """Return the crisis lines shipped, with those of the settings' file laid over them.

    Raises SettingsError where the file can't be used, and in production where any country's lines were
    not reviewed for 12 months: a patient may live in, or travel to, any of them.
    """
    found = _overlaid(settings.crisis_lines, today) if settings.crisis_lines else SHIPPED
    stale = found.stale(today) if settings.environment == "production" else ()
    if stale:
        raise SettingsError(
            f"The crisis lines of {', '.join(stale)} were last reviewed more than 12 months ago: update to a "
            f"version in which they were, or review them and name your file in {_NAME}"
        )
    return found


def check_production(settings: Settings) -> None:
    """Raise SettingsError in production where a secret could be guessed, or our address is not encrypted."""
    if settings.environment != "production":
        return
    if not settings.public_url.startswith("https://"):
        raise SettingsError(f"{PREFIX}PUBLIC_URL must start with https:// in production")
    # A master key from a file or a command is looked at where it is read: `settings.master_keys`.
    keys = {"MASTER_KEY": settings.master_key, "BACKUP_KEY": settings.backup_key}
    texts = {"JWT_KEY": settings.jwt_key, "METRICS_TOKEN": settings.metrics_token}
    found = [(name, why_weak(key)) for name, text in keys.items() for key in _decoded(name, text)]
    found += [(name, why_weak_text(part)) for name, text in texts.items() for part in text.split(",") if part]
    if settings.jwt_key_file:
        signing_keys(settings)  # it looks at them itself, as whenever the file changes
    for name, why in found:
        check_strength(f"{PREFIX}{name}", why)


def _decoded(name: str, text: str) -> list[bytes]:
    try:
        return [base64.b64decode(part.strip(), validate=True) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SettingsError(f"{PREFIX}{name} must be base64 of 32 bytes") from None


def check_role(settings: Settings, database: Database) -> None:
    """Raise SettingsError in production where the database's role could see past a clinic's rows."""
    if settings.environment != "production" or database.is_sqlite:
        return
    with database.engine.connect() as connection:
        if connection.scalar(_FREE):
            raise SettingsError(
                f"{PREFIX}DATABASE_URL names a role that owns the tables, is a superuser or passes row-level "
                "security by, or may become such a one. Name one of its own there and the owner in "
                f"{PREFIX}MIGRATION_URL, and run: afterglow migrate"
            )


def warn_of_log(settings: Settings, database: Database) -> None:
    """Say in one line, in production, that the database's server would log what people reported."""
    if settings.environment != "production" or database.is_sqlite:
        return
    with database.engine.connect() as connection:
        if connection.scalar(_QUOTES):
            log.warning(
                "the database's server writes what patients report into its own log; set there "
                "log_parameter_max_length = 0, log_parameter_max_length_on_error = 0 and no auto_explain"
            )


def _overlaid(name: str, today: date) -> Directory:
    try:
        found = SHIPPED.overlaid(Path(name).read_text(encoding="utf-8"))
    except CrisisLinesError as error:
        raise SettingsError(f"{_NAME}: {error}") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{_NAME} can't be read as a file of text") from None
    ahead = [key for key in found.ahead_of(today) if found.by_country[key] != SHIPPED.by_country.get(key)]
    if ahead:
        raise SettingsError(f"{_NAME}: {ahead[0]}.reviewed_on: lies in the future")
    return found
