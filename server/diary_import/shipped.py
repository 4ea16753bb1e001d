"""The maps that Afterglow brings along, by name (docs/importing.md says how far each is verified)."""

from importlib.resources import files

SHIPPED = ("bearable", "daylio", "emoods")


def shipped_map(name: str) -> str:
    """Return the text of one of the maps in `SHIPPED`."""
    return files("server.diary_import").joinpath("maps", f"{name}.yaml").read_text("utf-8")
