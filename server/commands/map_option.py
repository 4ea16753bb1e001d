"""The option `--map`: a file of one's own, or the name of a map that Afterglow brings along."""

from pathlib import Path

import click

from server.commands.files import read_text
from server.diary_import.map_file import LONGEST_MAP
from server.diary_import.shipped import SHIPPED, shipped_map

# Most are the name of a file, which may hold any bytes.
MAP = click.Path()
MAP_HELP = f"which column says what: a YAML file, or {', '.join(SHIPPED)}"


def map_text(name: str) -> str:
    """Return the text of the map ``name``; a file of that name comes before one of ours."""
    file = Path(name)
    if not file.is_file() and name in SHIPPED:
        return shipped_map(name)
    if not file.is_file():
        raise click.BadParameter(f"There is no file {name}, and no map of ours has this name.")
    return read_text(file, LONGEST_MAP)
