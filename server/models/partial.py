"""Indexes of some rows of a table."""

from sqlalchemy import Index, MetaData, TextClause

_WHERE = "where"


def partial_index(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """Return the index of the rows for which ``where`` holds, on either database.

    Said for each of them as the library would have it, all that the library knows of PostgreSQL is loaded
    where nobody uses it: 2.5 MiB of a process. So it is said when a database is there (`say_where`).
    """
    return Index(name, *columns, unique=unique, info={_WHERE: where})


def say_where(metadata: MetaData, dialect: str) -> None:
    """Tell the partial indexes of ``metadata`` which rows they are of, as ``dialect`` has to be told."""
    every = (index for table in metadata.tables.values() for index in table.indexes)
    for index in (index for index in every if _WHERE in index.info):
        index.dialect_kwargs[f"{dialect}_where"] = index.info[_WHERE]
