"""What a phone pushes, and what becomes of each item of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.clinical.redflags import RedFlag
from server.models import Entry, QuestionnaireResponse
from server.services.journal.unreadable import Kind, Unread


class Verdict(StrEnum):
    """What became of one pushed item."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    CONFLICT = "conflict"
    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    RETRY = "retry"


class Action(StrEnum):
    """What a pushed item asks for."""

    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One item as it was pushed. ``errors`` speak against taking it.

    ``said`` is all that it holds, as it came: looked at for danger where it is not taken.
    ``sent_at`` is the phone's clock when it sent the batch, where it said so.
    """

    id: UUID | None
    action: Action
    base_version: int | None
    content: Mapping[str, Any]
    errors: Sequence[Mapping[str, str]] = ()
    kind: Kind = Kind.ENTRY
    sent_at: datetime | None = None
    said: Sequence[Unread] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored row and what kind it is."""

    kind: Kind
    row: Entry | QuestionnaireResponse


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on one item. ``stored`` is what is there now, where there is anything.

    ``version`` is the one this item made or was found to repeat: items after it in the same batch
    may have made newer ones. On a conflict it made none.

    ``contact_today``: the notice also asks the patient to contact the clinic today.
    """

    id: UUID | None
    verdict: Verdict
    stored: Kept | None = None
    version: int | None = None
    flags: tuple[RedFlag, ...] = ()
    errors: Sequence[Mapping[str, str]] = ()
    touched: frozenset[date] = frozenset()
    contact_today: bool = False
