"""The list of erasures outside the database, a line each: a backup from before does not know of them.

Ids, moments and hashes alone. Whoever restores a backup applies the list again (`jobs.erase.apply`). It
begins with a line that says since when it knows of all: the list of a new machine is none for an old backup.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from jobs.problem import Problem
from server import private
from server.settings import Settings

NAME = "erasures.jsonl"
_SINCE = "knows_all_since"


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased when; without a patient a whole clinic's keys were destroyed."""

    clinic_id: UUID
    patient_id: UUID | None
    at: datetime
    receipt_hash: str | None = None

    def line(self) -> str:
        """Return it as a line without its end."""
        patient = None if self.patient_id is None else str(self.patient_id)
        said = {"clinic_id": str(self.clinic_id), "patient_id": patient, "erased_at": self.at.isoformat()}
        return json.dumps(said | {"receipt_hash": self.receipt_hash})


def file_of(settings: Settings) -> Path:
    """Return where the list lies."""
    return Path(settings.erasure_list or settings.data_dir / NAME)


def begin(file: Path, since: datetime, erased: Iterable[Erased] = ()) -> None:
    """Begin a list that knows of every erasure since ``since``, and of ``erased``."""
    append_lines(file, [json.dumps({_SINCE: since.isoformat()}), *(one.line() for one in erased)])


def append(file: Path, erased: Iterable[Erased]) -> None:
    """Put lines at the end of ``file``, on disk when this returns. The same twice is harmless."""
    append_lines(file, [one.line() for one in erased])


def append_lines(file: Path, lines: Iterable[str]) -> None:
    """Put ``lines`` at the end of ``file``, on disk when this returns. Without any it is there afterwards."""
    text = "".join(f"{one}\n" for one in lines)
    if not text and file.exists():
        return
    private.append(file, text)


def read(file: Path) -> list[Erased]:
    """Return what the list says, each once; none where there is no file. Problem names a bad line."""
    if not file.exists():
        return []
    return list({(one.clinic_id, one.patient_id): one for one in _read(lines_of(file))}.values())


def lines_of(file: Path) -> list[str]:
    """Return the lines of a list, damaged ones too: whoever takes them apart names them."""
    return file.read_text("utf-8", "replace").splitlines()


def knows_all_since(file: Path, moment: datetime) -> bool:
    """Say whether nobody erased since ``moment`` is missing in the list, by what its lines say of it.

    Lists put together from several know as much as the oldest one. One that says nothing of it is believed.
    """
    said = [since for line in lines_of(file) if (since := _since(json.loads(line)))]
    return not said or min(said) <= moment


def is_beginning(said: Mapping[str, Any]) -> bool:
    """Say whether a line only says since when its list knows of all."""
    return _SINCE in said


def _since(said: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(said[_SINCE]) if _SINCE in said else None


def _read(lines: Iterable[str]) -> Iterator[Erased]:
    for number, line in enumerate(lines, 1):
        try:
            yield from _erased(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Problem(f"Line {number} of the list of erasures can't be read.") from None


def _erased(said: Mapping[str, Any]) -> Iterator[Erased]:
    if _since(said):
        return
    patient = None if said["patient_id"] is None else UUID(said["patient_id"])
    at = datetime.fromisoformat(said["erased_at"])
    yield Erased(UUID(said["clinic_id"]), patient, at, said["receipt_hash"])
