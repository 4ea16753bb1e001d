"""What is to be done next about a suggestion's copy in the clinic's scheduling system."""

from enum import StrEnum

from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.visit import Capabilities
from server.clinical.vocabulary import SuggestionState

_S = SuggestionState
# What a system without news of its own has to be told: the time that the clinic reported another way.
_VISITING = frozenset({_S.BOOKED, _S.ARRIVED})
# What took place, or should have, is no proposal to be taken back.
_HAPPENED = frozenset({_S.FULFILLED, _S.NOSHOW})


class CopyTask(StrEnum):
    """Tell the system of the visit, ask how it stands there, take the proposal back, or nothing.

    follow: bring what lies there up to date, unless it is gone.
    """

    SUGGEST = "suggest"
    FOLLOW = "follow"
    FETCH = "fetch"
    WITHDRAW = "withdraw"
    NOTHING = "nothing"


def copy_task(
    state: SuggestionState, behind: bool, known: bool, can: Capabilities, tried: bool = False
) -> CopyTask:
    """Return the task for a suggestion in ``state``.

    ``behind``: the system does not have our newest version; ``known``: it has had one; ``tried``: it may
    have had one, for an answer may be lost. What is booked is pushed to no system that can be asked, for
    there the clinic decides, unless it follows.
    """
    if state is _S.DRAFT or (state not in OPEN_SUGGESTIONS and not (known or tried)):
        return CopyTask.NOTHING
    fetch = CopyTask.FETCH if can.fetches and known else CopyTask.NOTHING
    if not behind or state in _HAPPENED:
        return fetch
    if state in _VISITING and can.follows and known:
        return CopyTask.FOLLOW
    if state in _VISITING:
        return fetch if can.fetches and not can.follows else CopyTask.SUGGEST
    if state in OPEN_SUGGESTIONS:
        return CopyTask.SUGGEST
    return CopyTask.WITHDRAW if can.cancel else fetch
