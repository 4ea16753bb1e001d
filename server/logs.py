"""How log lines are written: one line each, in UTC, and nothing in it that could pass for another line."""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TextIO

# Which request a line belongs to; empty outside of one.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
# Controls (a line end, an escape sequence of a terminal), what turns the direction of reading, what no
# encoding has: whoever reads a log must see that it is there, and nothing else must happen.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return ``text`` with controls, bidirectional marks and lone surrogates written out (`\\x0a`)."""
    if text.isprintable():  # nearly every line is, and this is fifty times as fast
        return text
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def kind_of(error: BaseException) -> str:
    """Return the kind of an error, with the database's own code for it: a full disk is not a server away.

    Its text is never written: it may quote what a patient said.
    """
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class Lines(logging.Formatter):
    """`2026-05-02T08:00:00.123Z WARNING jobs.deliver: text name=value …`, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        parts = " ".join(f"{name}={value}" for name, value in _more(record).items())
        head = f"{_moment(record)} {record.levelname} {record.name}: {record.getMessage()}"
        return escaped(f"{head} {parts}" if parts else head)


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message` and what goes with it, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": escaped(record.getMessage()),
        }
        more = {name: escaped(v) if isinstance(v, str) else v for name, v in _more(record).items()}
        return json.dumps({**line, **more}, default=lambda value: escaped(str(value)))


# From which level on a line is how grave to syslog.
_PRIORITIES = (logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7)
FORMS: Mapping[str, type[logging.Formatter]] = {"text": Lines, "json": JsonLines}


def set_up(form: str, to: TextIO | None = None) -> logging.Handler:
    """Write every line from INFO on to ``to`` (else stderr) in ``form``; return what writes them."""
    stream = to or sys.stderr
    handler = _JournalHandler(stream) if _is_journal(stream) else logging.StreamHandler(stream)
    handler.setFormatter(FORMS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Nothing of this is written, and finding it out for every line costs more than writing it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    return handler


class _JournalHandler(logging.StreamHandler[TextIO]):
    """Says before each line how grave it is, which the journal takes off and keeps (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line with the number of syslog(3) before it."""
        grave = next(number for level, number in _PRIORITIES if record.levelno >= level)
        return f"<{grave}>{super().format(record)}"


def _is_journal(stream: TextIO) -> bool:
    """Return whether ``stream`` leads to systemd's journal, which names it by device and inode."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # it is no file
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def _moment(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=4)
def _second(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(number))


def _more(record: logging.LogRecord) -> dict[str, Any]:
    """Return what goes with a line: its request, its fields, and of an error its kind and place.

    The text of an exception may quote what a patient said: it is never written.
    """
    found: dict[str, Any] = {}
    if request_id := REQUEST_ID.get():
        found["request_id"] = request_id
    found |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[0] is not None:
        found["error"] = record.exc_info[0].__name__
        place = record.exc_info[2]
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is not None:
            found["error_at"] = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    return found
