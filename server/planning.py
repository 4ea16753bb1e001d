"""How PostgreSQL plans what a transaction asks.

By itself it plans a question for the values that it comes with, until it takes a kept plan for as good. Where
all is found by the key of one patient that is lost work: the plan is the same for everybody, and planning
costs more than answering. All else that such a transaction asks, say whom an alert is told, must be found by
an index whatever the values are.
What looks for what is due, or shows a list, is left alone: a good plan of it depends on the values. What goes
through all patients is planned `anew`: the plan that was kept for it was ten times as slow.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

_SET = "SET LOCAL plan_cache_mode = force_generic_plan"
_NOW, _ANEW = text(_SET), text("SET LOCAL plan_cache_mode = force_custom_plan")
# Keys of `Session.info`: whether plans are kept, and whether the transaction has begun.
_KEPT, _BEGUN = "plans_kept", "begun"


def keep(session: Session) -> None:
    """Have each question of ``session``'s transaction planned once for all values, from now to its end.

    Said before the first question it costs nothing. SQLite does so by itself.
    """
    if session.get_bind().dialect.name != "postgresql" or session.info.get(_KEPT):
        return
    session.info[_KEPT] = True
    if session.info.get(_BEGUN):
        session.connection().execute(_NOW)


def anew(session: Session) -> None:
    """Have each question of ``session``'s transaction planned for its values, from now to its end."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_ANEW)


def beginning(session: Session) -> list[str]:
    """Return what is sent along as a transaction of ``session`` begins on PostgreSQL."""
    session.info[_BEGUN] = True
    return [_SET] if session.info.get(_KEPT) else []
