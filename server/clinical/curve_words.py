"""The response curve in the words a clinician reads: every case said plainly, also where nothing can be.

Source: docs/clinical.md, "Response curve".
"""

from server.clinical.durability import Onset, ResponseCurve, SessionCurve
from server.clinical.holding_time import ExpectedLoss, Held
from server.clinical.policy import Policy


def tell_session(curve: ResponseCurve, session: SessionCurve, policy: Policy) -> str:
    """Return what one session of ``curve`` did, in one sentence."""
    if session.responded is None:
        return f"{_unknown(curve, session, policy)}: whether it helped can't be said"
    against = f"best week {session.best_level:.1f} against {curve.pre_level:.1f} before the course"
    if session.held is None:
        return f"did not respond ({against}): there is nothing to lose, relapse detection is off"
    held = _held(session.held, session.retreated)
    return ", ".join((f"responded ({against})", _onset(session.onset), _left(session), held))


def tell_arm(curve: ResponseCurve, loss: ExpectedLoss | None, policy: Policy) -> str:
    """Return what the newest session of ``curve`` (it has one) did, and how long that is expected to last."""
    newest = curve.sessions[-1]
    told = f"{curve.arm}, session of {newest.session}: {tell_session(curve, newest, policy)}"
    return told if loss is None else f"{told}. {tell_loss(loss)}"


def tell_loss(loss: ExpectedLoss) -> str:
    """Return the range of days and what it rests on."""
    own = [
        f"{count} own {'time' if count == 1 else 'times'} {what}"
        for count, what in ((loss.time.lost, "lost"), (loss.time.censored, "cut off"))
        if count
    ]
    rests = " and ".join([*own, f"the cohort of {loss.cohort}"])
    return (
        f"Half of the benefit is expected to be lost about {loss.median} (80 %: {loss.low} to {loss.high}), "
        f"from {rests}"
    )


def _unknown(curve: ResponseCurve, session: SessionCurve, policy: Policy) -> str:
    if curve.pre_level is None:
        days = policy.whole("baseline.pre_days")
        return f"too few entries in the {days} days before {curve.began}"
    if session.best_level is None:
        return f"too few entries from {session.session} to {session.until}"
    if curve.pre_level > 0:
        return f"well already before the course ({curve.pre_level:.1f})"
    return "no symptoms before the course"


def _onset(onset: Onset | None) -> str:
    if onset is None:
        return "no single day shows when it began"
    if onset.hours is not None:
        return f"first seen after {onset.hours:.0f} hours"
    return f"first seen after {onset.days} {'day' if onset.days == 1 else 'days'}"


def _left(session: SessionCurve) -> str:
    left = session.retained
    if left is None:
        return f"too few entries to say what was left of it on {session.until}"
    interval = f"80 %: {left.low:.0f} to {left.high:.0f}"
    return f"{left.percent:.0f} % of the benefit left on {session.until} ({interval})"


def _held(held: Held, retreated: bool) -> str:
    if held.lost_by is not None:
        return f"half of it lost between day {held.until} and day {held.lost_by}"
    return f"last seen to hold on day {held.until}" + (", then treated again" if retreated else "")
