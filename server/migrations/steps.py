"""One migration after the other, each in a transaction that first takes all the tables it changes.

Every migration names them: ``TABLES`` (``MODE``: how they are taken on the way forward, by default from
everybody). Together they would hold tables for as long as all of them take.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from server.migrations.locking import NO_ONE_ELSE

STEP = "step"
"""Where a migration's run finds its `Step`, among the attributes of its configuration."""
Way = Callable[[Config, str, str], "Iterator[Step]"]
NEWEST, NOTHING = "head", "base"


@dataclass(frozen=True)
class Step:
    """Bring a database to the revision ``to`` while holding ``tables``, taken as ``mode`` says."""

    to: str
    tables: list[str] = field(default_factory=list)
    mode: str = NO_ONE_ELSE


def forward(config: Config, found: str, wanted: str) -> Iterator[Step]:
    """Yield the steps from ``found`` to ``wanted`` ("head": the newest), oldest first.

    Raises LookupError for a revision that there is not.
    """
    for script in reversed(_scripts(config, wanted)):
        if script.revision > found and (wanted == NEWEST or script.revision <= wanted):
            mode = getattr(script.module, "MODE", NO_ONE_ELSE)
            yield Step(script.revision, [*script.module.TABLES], mode)


def back(config: Config, found: str, wanted: str) -> Iterator[Step]:
    """Yield the steps from ``found`` back to ``wanted`` ("base": nothing is left), newest first.

    Raises LookupError as `forward` does.
    """
    for script in _scripts(config, wanted):
        if found >= script.revision and (wanted == NOTHING or script.revision > wanted):
            yield Step(_before(script), [*script.module.TABLES])


def _scripts(config: Config, wanted: str) -> list[Script]:
    found = list(ScriptDirectory.from_config(config).walk_revisions())
    if wanted not in (NEWEST, NOTHING, *(script.revision for script in found)):
        raise LookupError(f"there is no revision {wanted}")
    return found


def _before(script: Script) -> str:
    before = script.down_revision
    assert before is None or isinstance(before, str), "migrations stand in one line"
    return before or NOTHING
