"""What must be true before anything starts: crisis lines that can be used and are fresh, secrets that nobody
guesses, and a role in the database that isolation binds.
"""

import base64
from datetime import date
from pathlib import Path

from sqlalchemy import text

from server.clinical.crisis_lines import SHIPPED, CrisisLinesError, Directory
from server.database import Database
from server.settings import PREFIX, Settings, SettingsError
from server.strength import why_weak, why_weak_text

_NAME = f"{PREFIX}CRISIS_LINES"
# Whoever owns a table, or may act as its owner, can switch its policies off; the first two pass them by.
_FREE = text("""
SELECT rolsuper OR rolbypassrls OR EXISTS (
  SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  AND pg_has_role(current_user, relowner, 'MEMBER'))
FROM pg_roles WHERE rolname = current_user
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
    keys = [base64.b64decode(part) for part in settings.master_key.split(",") if part]
    texts = {"JWT_KEY": settings.jwt_key, "METRICS_TOKEN": settings.metrics_token}
    found = [("MASTER_KEY", why_weak(key)) for key in keys]
    found += [(name, why_weak_text(text)) for name, text in texts.items() if text]
    for name, why in found:
        if why is not None:
            # Never repeat the value: it is a key all the same.
            raise SettingsError(f"{PREFIX}{name} {why}: make one by chance")


def check_role(settings: Settings, database: Database) -> None:
    """Raise SettingsError in production where the database's role could see past a clinic's rows."""
    if settings.environment != "production" or database.is_sqlite:
        return
    with database.engine.connect() as connection:
        if connection.scalar(_FREE):
            raise SettingsError(
                f"{PREFIX}DATABASE_URL names a role that owns the tables, is a superuser or passes row-level "
                f"security by. Name one of its own there and the owner in {PREFIX}MIGRATION_URL, and run: "
                "afterglow migrate"
            )


def _overlaid(name: str, today: date) -> Directory:
    try:
        found = SHIPPED.overlaid(Path(name).expanduser().read_text(encoding="utf-8"))
    except CrisisLinesError as error:
        raise SettingsError(f"{_NAME}: {error}") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{_NAME} can't be read as a file of text") from None
    ahead = [key for key in found.ahead_of(today) if found.by_country[key] != SHIPPED.by_country.get(key)]
    if ahead:
        raise SettingsError(f"{_NAME}: {ahead[0]}.reviewed_on: lies in the future")
    return found
