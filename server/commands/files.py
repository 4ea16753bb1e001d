"""Read a person's file, or say in one line why that can't be done."""

from pathlib import Path

from jobs.problem import Problem


def read_text(file: Path, most: int) -> str:
    """Return the UTF-8 text of ``file`` (a byte order mark is taken off), at most ``most`` bytes of it."""
    try:
        return read_bytes(file, most).decode("utf-8-sig")
    except UnicodeError:
        raise Problem(f"{file} is not UTF-8 text.") from None


def read_bytes(file: Path, most: int) -> bytes:
    """Return what is in ``file``; Problem when it is larger than ``most`` bytes or can't be read."""
    try:
        if file.stat().st_size > most:
            raise Problem(f"{file} is larger than {most} bytes.")
        return file.read_bytes()
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}.") from None
