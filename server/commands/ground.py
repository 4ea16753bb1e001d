"""What commands stand on: settings, a database that answers and is migrated, a port that is free."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import click
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from server import private
from server.commands.database_trouble import told
from server.database import Database
from server.environment import read_settings
from server.isolation import Extent
from server.keys.kept import MASTER_KEY
from server.keys.sealing import SealError
from server.migrations import suffices
from server.parent import end_with
from server.postgresql.encoding import EncodingError
from server.readiness import check_production, check_role, crisis_directory
from server.services import backup_state, vault
from server.settings import Settings, SettingsError, master_key_sources, master_keys

R = TypeVar("R")


def _end_with_parent(_context: click.Context, _option: click.Parameter, parent: int | None) -> None:
    if parent is not None:
        end_with(parent, signal.SIGTERM)


child_option = click.option(
    "--child",
    type=int,
    metavar="PID",
    expose_value=False,
    callback=_end_with_parent,
    help="End when that process, which started this one, has ended, as `up` wants it.",
)


def settings_here() -> Settings:
    """Return the settings of the environment; ClickException names the variable that can't be used."""
    try:
        settings = read_settings(os.environ)
        check_production(settings)
        return settings
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def check_texts(settings: Settings) -> None:
    """Raise ClickException where the crisis lines can't be used, in production also where they are stale."""
    try:
        crisis_directory(settings, datetime.now(UTC).date())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def database_of(settings: Settings, migrated: bool = True, unfinished: bool = False) -> Iterator[Database]:
    """Give the database; ClickException where it can't be reached or, if ``migrated``, is behind the code.

    ``unfinished``: for a restore, also where one has not come to its end, which nothing else may work on, and
    whatever key opens what it replaces.

    No message repeats the address: it may hold a password.
    """
    if migrated:
        check_there(settings)
    _check_key_is_kept(settings)
    if not settings.database_url:
        private.folder(settings.data_dir)
    try:
        database = Database(settings.sqlalchemy_url, master_keys(settings), settings.limits.unhurried())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise click.ClickException("AFTERGLOW_DATABASE_URL can't be used as a database address.") from None
    try:
        if not unfinished:
            # First of all: the service's role may not even read which tables there are before it has ended.
            _asked(database, _check_finished)
        is_enough = _asked(database, suffices)
        if not unfinished:
            _check_key(database, is_enough)
        if migrated and not is_enough:
            raise click.ClickException("The database is not migrated. Run: afterglow migrate")
        if migrated:
            _check_role(settings, database)
        yield database
    finally:
        database.close()


def check_there(settings: Settings) -> None:
    """Raise ClickException where no database is named and the data folder has none: perhaps another is meant.

    Asked before anything is made there: an empty one with a key of its own could be taken for the real one.
    """
    if not settings.database_url and not settings.embedded_database.exists():
        raise click.ClickException(
            f"There is no database in {settings.data_dir.absolute()}. Set AFTERGLOW_DATA_DIR where it is in "
            "another folder. For a new one, run: afterglow migrate"
        )


def check_takes_writes(settings: Settings) -> None:
    """Raise ClickException where the embedded database can't be written: nobody could store anything."""
    file = settings.embedded_database
    if not settings.database_url and not os.access(file, os.W_OK):
        raise click.ClickException(f"{file} can't be written here: look at whose it is, and at its disk.")


def _check_key_is_kept(settings: Settings) -> None:
    """Raise ClickException where the key that the data folder kept is gone from beside its database.

    One made in its place would open nothing, and be taken for the real one by whoever copies the folder.
    """
    kept = settings.data_dir / MASTER_KEY
    if any(master_key_sources(settings)) or settings.database_url or kept.exists():
        return
    file = settings.embedded_database
    if file.exists() and file.stat().st_size:
        raise click.ClickException(
            f"{kept} is gone, and {file.name} is there: put it back, or set AFTERGLOW_MASTER_KEY to what was "
            "in it. Nothing else opens the notes in that database."
        )


def check_port_is_free(settings: Settings) -> None:
    """Raise ClickException where the API can't listen at its host and port."""
    where = f"{settings.host}:{settings.port}"
    if not 1 <= settings.port <= 65535:
        raise click.ClickException("AFTERGLOW_PORT must be 1-65535")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        # The server shares its port between workers, so a second one would start and steal requests.
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        # Python adds which address it was.
        reason = (error.strerror or "the address can't be used").partition(" (while ")[0]
        raise click.ClickException(
            f"The API can't listen at {where}: {reason}. AFTERGLOW_HOST and AFTERGLOW_PORT set another place."
        ) from None


def _check_role(settings: Settings, database: Database) -> None:
    """Raise ClickException where the service would run as a role that isolation does not bind."""
    try:
        check_role(settings, database)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _check_finished(database: Database) -> None:
    """Raise ClickException where a restore has brought rows back, some of which have to go again first."""
    with database.read(Extent.NONE) as session:
        if backup_state.is_unfinished(session):
            raise click.ClickException(
                "A restore into this database has not come to its end. "
                "Run it again: afterglow restore --replace FILE"
            )


def _check_key(database: Database, is_migrated: bool) -> None:
    """Raise ClickException where the master key is not this database's: better now than at the first note."""
    if not is_migrated:
        return
    with database.read(Extent.ALL) as session:
        try:
            vault.check(session)
        except SealError:
            raise click.ClickException("AFTERGLOW_MASTER_KEY does not open this database.") from None


def _asked(database: Database, question: Callable[[Database], R]) -> R:
    """Return what ``question`` finds in the database; ClickException where it can't be asked."""
    try:
        return question(database)
    except DBAPIError as error:
        raise click.ClickException(told(error) or "The database can't be reached.") from None
    except EncodingError as error:
        raise click.ClickException(str(error)) from None
