"""Count how often something is tried, for all processes together, and refuse what is over its cap.

Counting is one statement that locks its row until the transaction ends: parallel tries are counted one
after the other, and a try is counted before it is known how it ends.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, case, delete, or_, select, update
from sqlalchemy.orm import Session

from server.models import Tally
from server.services.asking import conflicting
from server.services.cap import Cap
from server.services.errors import TooMany

# Clocks of several machines differ by less: what is further ahead was set back since.
AHEAD = timedelta(hours=1)
_REFUSED = "Too many tries. Try again later."


@dataclass(frozen=True, slots=True)
class Counted:
    """How it stands after a try: its number, and until when it counts."""

    count: int
    ends_at: datetime
    shut_until: datetime | None


def take(session: Session, now: datetime, cap: Cap, *who: str) -> int:
    """Count one try of ``who`` and return its number; raises TooMany where it is over ``cap``.

    A refused try is not counted, so that whoever hammers waits no longer for it.
    """
    found = count(session, now, cap, *who)
    if found.shut_until is not None and found.shut_until > now:
        raise refusal(found.shut_until - now)
    if found.count > cap.most and cap.pause is None:
        raise refusal(found.ends_at - now)
    if pause := cap.pause_after(found.count):
        # This one still counts as taken: the next has to wait.
        mine = Tally.digest == _digest(session, cap, who)
        session.execute(update(Tally).where(mine).values(shut_until=now + pause))
    return found.count


def count(session: Session, now: datetime, cap: Cap, *who: str) -> Counted:
    """Count one more of ``who``, whatever the cap, and return how it stands."""
    insert = conflicting(Tally, session.get_bind().dialect.name)
    first = insert.values(digest=_digest(session, cap, who), cap=cap.name, count=1, ends_at=now + cap.span)
    is_over = _is_over(now, cap)
    begins_anew = is_over if cap.pause is None else Tally.count > 0
    query = first.on_conflict_do_update(
        index_elements=[Tally.digest],
        set_={
            "count": case((is_over, 1), else_=Tally.count + 1),
            "ends_at": case((begins_anew, first.excluded.ends_at), else_=Tally.ends_at),
            "shut_until": case((is_over, None), else_=Tally.shut_until),
        },
    )
    returned = (Tally.count, Tally.ends_at, Tally.shut_until)
    return Counted(*session.execute(query.returning(*returned)).one())


def wait(session: Session, now: datetime, cap: Cap, *who: str) -> timedelta:
    """Return how long ``who`` has to wait, without counting; zero where nothing is to be waited for."""
    mine = (Tally.digest == _digest(session, cap, who), Tally.shut_until > now, ~_is_over(now, cap))
    until = session.scalar(select(Tally.shut_until).where(*mine))
    return timedelta() if until is None else until - now


def number(session: Session, now: datetime, cap: Cap, *who: str) -> int:
    """Return how often ``who`` has been counted."""
    mine = (Tally.digest == _digest(session, cap, who), Tally.ends_at > now)
    return session.scalar(select(Tally.count).where(*mine)) or 0


def give_back(session: Session, cap: Cap, *who: str) -> None:
    """Take one try of ``who`` back: it was a good one."""
    mine = (Tally.digest == _digest(session, cap, who), Tally.count > 0)
    session.execute(update(Tally).where(*mine).values(count=Tally.count - 1))


def forget(session: Session, cap: Cap, *who: str) -> None:
    """Begin anew with ``who``."""
    session.execute(delete(Tally).where(Tally.digest == _digest(session, cap, who)))


def tidy(session: Session, now: datetime) -> int:
    """Remove what counts no more; return how many."""
    gone = session.execute(delete(Tally).where(Tally.ends_at <= now))
    return cast("CursorResult[Any]", gone).rowcount


def refusal(wait: timedelta) -> TooMany:
    """Return the refusal of what may be tried again after ``wait``."""
    return TooMany(_REFUSED, max(1, math.ceil(wait.total_seconds())))


def _is_over(now: datetime, cap: Cap) -> ColumnElement[bool]:
    """Return what holds for a count that is over, or was made by a clock that was ahead.

    That one would keep its owner out until the moment it had been set to.
    """
    return or_(Tally.ends_at <= now, Tally.ends_at > now + cap.span + AHEAD)


def _digest(session: Session, cap: Cap, who: Sequence[str]) -> str:
    # Keyed, for there are few addresses: a plain hash would be read by trying them all.
    digest: str = session.info["masters"].digest("\n".join(who), f"tally:{cap.name}")
    return digest
