"""Indexes of some rows: the same rows in the models, on SQLite and on PostgreSQL."""

import re
import subprocess
import sys

import pytest
from sqlalchemy import inspect
from sqlalchemy.engine import Engine
from sqlalchemy.schema import CreateIndex

from server.database import Database
from server.models import Base
from server.models.partial import say_where


def partial_indexes(engine: Engine) -> dict[str, str]:
    """Return the partial indexes of the models by their names, as they would be made on ``engine``."""
    say_where(Base.metadata, engine.dialect.name)
    made = {
        str(index.name): str(CreateIndex(index).compile(dialect=engine.dialect))
        for table in Base.metadata.tables.values()
        for index in table.indexes
    }
    return {name: said.partition(" WHERE ")[2] for name, said in made.items() if " WHERE " in said}


def bare(condition: str) -> str:
    """Return a condition without what a database puts around its parts."""
    condition = re.sub(r"::[a-z ]+(\[\])?", "", condition.lower())
    condition = re.sub(r"[\s()\[\]]", "", condition)
    return condition.replace("<>allarray", "notin").replace("=anyarray", "in")


def test_a_partial_index_is_of_the_rows_that_the_models_say(database: Database) -> None:
    engine = database.engine
    there = {
        str(index["name"]): str(index.get("dialect_options", {}).get(f"{engine.dialect.name}_where", ""))
        for table in Base.metadata.tables
        for index in inspect(engine).get_indexes(table)
    }
    wanted = partial_indexes(engine)
    assert len(wanted) >= 7
    assert {name: bare(there[name]) for name in wanted} == {
        name: bare(condition) for name, condition in wanted.items()
    }
    assert {name for name, condition in there.items() if condition} == {*wanted}


@pytest.mark.long
def test_a_service_on_sqlite_loads_nothing_of_postgresql() -> None:
    command = [sys.executable, "-c", "import sys, server.app; print(*sys.modules)"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded = found.stdout.split()
    assert {"server.services.asking", "server.services.tally"} <= {*loaded}
    assert [name for name in loaded if "psycopg" in name or "dialects.postgresql" in name] == []
