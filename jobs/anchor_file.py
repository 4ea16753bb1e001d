"""The file in which the ends of the audit chains are written down: lines are added, never changed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from jobs.problem import Problem
from server import private
from server.services.audit.anchor import Anchor, as_line, from_line

AT_ONCE = 500
Wanted = Callable[[int, str], bool]


def append(file: Path, anchors: Sequence[Anchor]) -> None:
    """Add ``anchors``, on disk when this returns. Raises OSError where that can't be done."""
    if anchors:
        private.append(file, "".join(f"{as_line(one)}\n" for one in anchors))


def batches(file: Path, wanted: Wanted | None = None) -> Iterator[tuple[UUID, list[Anchor]]]:
    """Yield the anchors of ``file`` in their order, some of one clinic at a time; the file may be large.

    ``wanted`` is asked of each line, with its number (from 0), before it is read.
    Raises `Problem` for a line that is none of ours; a file that is not there yet holds nothing.
    """
    waiting: dict[UUID, list[Anchor]] = defaultdict(list)
    some = (one for one in numbered(file) if wanted is None or wanted(*one))
    for number, line in some:
        anchor = read(file, number, line)
        held = waiting[anchor.clinic_id]
        held.append(anchor)
        if len(held) == AT_ONCE:
            yield anchor.clinic_id, waiting.pop(anchor.clinic_id)
    yield from waiting.items()


def numbered(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers from 0."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        yield from ((number, line) for number, line in enumerate(lines) if line.strip())


def read(file: Path, number: int, line: str) -> Anchor:
    """Return what line ``number`` (from 0) of ``file`` says. Raises `Problem` where it is none of ours."""
    try:
        return from_line(line)
    except ValueError:
        raise Problem(f"{file}, line {number + 1}: not the end of an audit chain.") from None
