"""One line a record, whatever stands in it: UTC, level, logger, the request it belongs to, and what was said.

What comes from outside (a header, a path, a far end's words) may hold line ends that would look like records
of their own, or marks that turn the direction of reading: all of them are escaped.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

# The id of the request that is being answered; empty in a job.
REQUEST: ContextVar[str] = ContextVar("request", default="")
# What a caller may name a request by; anything else in its place gets one of ours.
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)


class OneLine(logging.Formatter):
    """Formats a record as `at=… level=… logger=… request=… said="…"`, in ASCII, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        parts = [f"at={at}", f"level={record.levelname}", f"logger={_shown(record.name)}"]
        parts += [f"request={request}"] if (request := REQUEST.get()) else []
        return " ".join([*parts, f"said={_text(self, record)}"])


def set_up(level: int = logging.INFO) -> None:
    """Write what is logged to the standard error, one line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def is_good_id(text: str) -> bool:
    """Return whether a caller's id of a request can be taken over: 8-64 letters, digits, dots and dashes."""
    return _GOOD_ID.fullmatch(text) is not None


def _text(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    said = record.getMessage()
    if record.exc_info:
        said = f"{said}\n{formatter.formatException(record.exc_info)}"
    return json.dumps(said)


def _shown(name: str) -> str:
    return name if name.isascii() and name.isprintable() else json.dumps(name)
