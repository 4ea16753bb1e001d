"""Where a secret comes from beside the environment: a file, or what a command prints."""

import shlex
import subprocess
from pathlib import Path

LARGEST = 16_384
SECONDS = 30


def from_file(path: str) -> str:
    """Return the text of a file without blanks around it; ValueError says what is wrong, never the text."""
    try:
        file = Path(path)
        if file.stat().st_size > LARGEST:
            raise ValueError("names a file that is too large")
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeError):
        raise ValueError("names a file that can't be read") from None


def from_command(command: str) -> str:
    """Return what ``command`` prints (no shell reads it), without blanks around it; ValueError likewise."""
    try:
        words = shlex.split(command)
        # Whoever may set the environment may run commands anyway.
        done = subprocess.run(words, capture_output=True, check=True, timeout=SECONDS)  # noqa: S603
        return done.stdout[:LARGEST].decode().strip()
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        raise ValueError("does not give a key: it failed, took too long, or prints no text") from None
