"""Answers that are made while they are sent: one reading transaction, few rows of it in memory.

What needs writing (the audit) is written before. Whoever loses access while it runs gets no more of it.
An answer that ends early must not look whole: half of a JSON object does not, and a text of lines ends with
one that says so, for not every server lets its client see that the sending has failed.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from flask import Response
from sqlalchemy.orm import Session

from server.api.edge import actor, here, still_signed_in
from server.api.errors import where
from server.api.sharing import Check, Still
from server.database import Database
from server.services.errors import ServiceError
from server.services.work import Actor, Work

log = logging.getLogger(__name__)

# Pieces are joined to about so many characters: a small one costs as much to send as a large one.
PIECE = 64 * 1024
Pieces = Callable[[Work], Iterator[str]]


class Incomplete(Exception):
    """The rest of an answer can't be sent; what was sent already must not look whole."""


def streamed(
    pieces: Pieces, kind: str, still: Still, cut_off: str = "", reader: Actor | None = None
) -> Response:
    """Return an answer of media type ``kind`` whose text ``pieces`` makes, bit by bit.

    What ``still`` returns raises once the rest may not be sent any more; ``cut_off`` ends it where it
    can't be. It is for who is signed in, as long as they are, or for ``reader``.
    """
    around = here()
    checks = (still_signed_in(),) if reader is None else ()
    work = partial(Work, now=around.clock(), actor=reader or actor())

    def checked(session: Session) -> Iterator[str]:
        began = work(session)
        all_of_them = (*checks, still(began))
        for piece in joined(pieces(began)):
            _run(all_of_them)
            yield piece

    made = _made(around.database, checked)
    return Response(_sent(made, cut_off.encode()), content_type=kind)


def _sent(made: Iterator[bytes], cut_off: bytes) -> Iterator[bytes]:
    try:
        yield from made
    except Exception as error:
        if not isinstance(error, ServiceError):
            # The exception's text may quote what a patient said.
            log.error("an answer broke off: %s at %s", type(error).__name__, where(error))
        yield cut_off
        raise Incomplete from None


def _made(database: Database, checked: Callable[[Session], Iterator[str]]) -> Iterator[bytes]:
    with database.snapshot() as session:
        for piece in checked(session):
            yield piece.encode()


def _run(checks: Sequence[Check]) -> None:
    for check in checks:
        check()


def joined(pieces: Iterator[str]) -> Iterator[str]:
    """Yield ``pieces`` joined to larger ones."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield "".join(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield "".join(waiting)
