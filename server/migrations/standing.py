"""How a database stands to this code: the same, behind, or ahead of it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from server.database import Database
from server.models.schema import HEAD


@dataclass(frozen=True)
class Standing:
    """The migration the database has (None: none yet), and the names of those it has not, oldest first.

    ``ahead``: a newer version than this one has migrated it.
    """

    found: str | None
    missing: tuple[str, ...]
    ahead: bool

    @property
    def is_current(self) -> bool:
        """Whether the database has exactly the migrations of this code."""
        return self.found == HEAD


def standing(database: Database) -> Standing:
    """Return how ``database`` stands. Raises DBAPIError where it can't be asked."""
    found, ours = revision_of(database), _names()
    known = [name.partition("_")[0] for name in ours]
    if found is None:
        return Standing(None, ours, ahead=False)
    if found not in known:
        return Standing(found, (), ahead=True)
    return Standing(found, ours[known.index(found) + 1 :], ahead=False)


def revision_of(database: Database) -> str | None:
    """Return the migration that ``database`` has; None where it has none. Raises DBAPIError as `standing`."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def _names() -> tuple[str, ...]:
    """Return the names of this code's migrations in their order, which their numbers tell."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("versions/[0-9]*.py")))
