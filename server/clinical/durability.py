"""The response curve: what each session of a course did, and how much of it is left.

Levels are the composite in points, higher is worse, on the items the patient logged before the
course. The benefit of a session is what its best week lies below the days before the course.
Source: docs/clinical.md, "Response curve".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import fsum

from server.clinical.baseline import ILL_KEY, RESPONSE_KEY, Treatment, settled, shows_response
from server.clinical.benefit import Benefit, Retained, best_week, fade_speed, held, retained
from server.clinical.holding_time import ExpectedLoss, Held, HoldingPrior, holding_time
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import History, Items, Reading
from server.clinical.series import COMPOSITE_ITEMS, Level, Points, blend, blend_points, item_points, level_of
from server.clinical.vocabulary import Arm

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimedEntry:
    """An entry made ``hours`` (> 0) after the session of day ``session``."""

    session: date
    hours: float
    items: Items


@dataclass(frozen=True, slots=True)
class CourseDiary:
    """One course: the patient's readings, its delivered sessions, and entries whose hour is known.

    ``began`` is the day whose days before are the pre-treatment ones; the first session where None.
    ``others`` are the days of sessions of other courses: they end a session's days like its own.
    """

    history: History
    treatments: tuple[Treatment, ...]
    timed: tuple[TimedEntry, ...] = ()
    began: date | None = None
    others: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Onset:
    """When a response first showed after the session: full days, and hours where an entry says so."""

    days: int
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class SessionCurve:
    """One session, as of ``until``: the day before the next session, or today.

    ``responded`` is None where there are too few days to say, before or after, or the patient was well
    before. Where it is not True, ``onset``, ``retained``, ``held`` and ``fade_per_week`` (points a week,
    positive while symptoms return) are None. ``retreated`` says that a session follows.
    """

    session: date
    until: date
    retreated: bool
    best_level: float | None = None
    responded: bool | None = None
    onset: Onset | None = None
    retained: Retained | None = None
    held: Held | None = None
    fade_per_week: float | None = None


@dataclass(frozen=True, slots=True)
class ResponseCurve:
    """One arm and course: the level before it (None with too few days) and its sessions, oldest first.

    ``began``: the day whose days before that level is from; None without a session.
    """

    arm: Arm
    pre_level: float | None
    sessions: tuple[SessionCurve, ...]
    began: date | None = None


def response_curve(diary: CourseDiary, arm: Arm, policy: Policy, today: date) -> ResponseCurve:
    """Return what the course did for ``arm`` as of ``today``; later sessions and readings are ignored."""
    days = sorted({t.day for t in diary.treatments if t.day <= today})
    if not days:
        return ResponseCurve(arm, None, ())
    began = diary.began or days[0]
    before, spans = _before(diary.history, arm, began, policy), _spans(days, diary.others, today)
    if before is None:
        return ResponseCurve(arm, None, tuple(SessionCurve(*span) for span in spans), began)
    curves = (_session_curve(diary, before, span, policy) for span in spans)
    return ResponseCurve(arm, before.level.mean, tuple(curves), began)


def response_curves(
    courses: Sequence[tuple[CourseDiary, date]], arm: Arm, policy: Policy
) -> tuple[ResponseCurve, ...]:
    """Return the curves of one patient's courses, oldest first, each as of its own day.

    A course that begins while the benefit of the one before still holds goes on from there: measured
    against its own first days, which are good ones, it could only seem to have failed.
    """
    found: list[ResponseCurve] = []
    for diary, day in courses:
        curve = response_curve(diary, arm, policy, day)
        if found and (began := _goes_on_from(found[-1], curve)):
            curve = response_curve(replace(diary, began=began), arm, policy, day)
        found.append(curve)
    return tuple(found)


def _goes_on_from(former: ResponseCurve, curve: ResponseCurve) -> date | None:
    """Return since when ``former`` runs if ``curve`` begins before its benefit was lost, else None."""
    last = former.sessions[-1] if former.sessions else None
    holds = last is not None and last.retreated and last.held is not None and last.held.lost_by is None
    follows = holds and last is not None and curve.began == last.until + _ONE
    return former.began if follows else None


def expected_loss(
    curves: Sequence[ResponseCurve], prior: HoldingPrior, policy: Policy
) -> ExpectedLoss | None:
    """Return when the benefit of the newest session is expected to be below half.

    ``curves`` are the patient's courses of one arm in any order. None where that session has no
    benefit to lose, has lost it, or has too few days to say. What already held is not forecast.
    """
    return _loss(curves, prior, policy, from_now=True)


def usual_loss(curves: Sequence[ResponseCurve], prior: HoldingPrior, policy: Policy) -> ExpectedLoss | None:
    """Return the same as it was expected on the day of the newest session: what a visit is planned by.

    The expected end of a benefit that still holds moves away from day to day, so that a visit planned
    by it would never fall due.
    """
    return _loss(curves, prior, policy, from_now=False)


def _loss(
    curves: Sequence[ResponseCurve], prior: HoldingPrior, policy: Policy, from_now: bool
) -> ExpectedLoss | None:
    sessions = sorted((s for curve in curves for s in curve.sessions), key=lambda s: s.session)
    present = sessions[-1].held if sessions else None
    if present is None or present.lost_by is not None:
        return None
    past = [s.held for s in sessions[:-1] if s.held is not None]
    time = holding_time(past, prior, policy, present.until if from_now else 0)
    return ExpectedLoss(sessions[-1].session, time, prior.source)


@dataclass(frozen=True, slots=True)
class _Before:
    """The days before a course: item means, their composite, and what its spread is drawn to."""

    arm: Arm
    means: Mapping[str, float]
    level: Level
    prior_sd: float

    def points(self, history: History, policy: Policy) -> Points:
        """Return the composite of every day that has one."""
        return blend_points(history, self.means, policy["composite.min_share"])

    def level_on(self, items: Items, policy: Policy) -> float | None:
        """Return the composite of one entry, None where too few of its items are there."""
        return blend(Reading(date.min, items), self.means, policy["composite.min_share"])


_Span = tuple[date, date, bool]


def _spans(days: Sequence[date], others: Sequence[date], today: date) -> Sequence[_Span]:
    """Return for each session its day, the last day that is its own, and whether another follows."""
    known = sorted({*days, *(day for day in others if day <= today)})
    ends = {day: (after - _ONE, True) for day, after in pairwise(known)}
    return [(day, *ends.get(day, (today, False))) for day in days]


def _before(history: History, arm: Arm, began: date, policy: Policy) -> _Before | None:
    window = history.between(began - timedelta(days=policy.whole("baseline.pre_days")), began - _ONE)
    need = policy["baseline.pre_min_days"]
    found = {key: item_points(window, key) for key in COMPOSITE_ITEMS[arm]}
    means = {
        key: fsum(v for _, v in points) / len(points) for key, points in found.items() if len(points) >= need
    }
    points = blend_points(window, means, policy["composite.min_share"])
    if len(points) < need:
        return None
    prior_sd = policy["baseline.prior_sd_composite" if len(means) > 1 else "baseline.prior_sd_item"]
    return _Before(arm, means, level_of(points, prior_sd, policy), prior_sd)


def _session_curve(diary: CourseDiary, before: _Before, span: _Span, policy: Policy) -> SessionCurve:
    session, until, _ = span
    points = before.points(settled(diary.history.between(session, until), [session], policy), policy)
    early = policy.whole("baseline.settle_days") + policy.whole("durability.best_days") - 1
    found = best_week(points, session + timedelta(days=early), before.prior_sd, policy)
    if found is None:
        return SessionCurve(*span)
    benefit = Benefit(before.level, found[1], found[0], before.prior_sd)
    share = policy[RESPONSE_KEY[before.arm]]
    responded = shows_response(before.level.mean, benefit.best.mean, share)
    if not responded:
        # Who was well had nothing to respond with, and may have come in the midst of a good maintenance.
        was_well = before.level.mean < policy[ILL_KEY[before.arm]]
        return SessionCurve(*span, benefit.best.mean, None if was_well else responded)
    time = held(points, benefit, session, policy)
    # Once half is lost, what matters is how it went; the week around that day holds the fall.
    fallen = until if time.lost_by is None else session + timedelta(days=time.lost_by)
    fading = min(until, fallen + timedelta(days=policy.whole("relapse.mean_days") // 2))
    return SessionCurve(
        *(*span, benefit.best.mean, responded),
        onset=_onset(diary, before, span, policy),
        retained=retained(points, benefit, until, policy),
        held=time,
        fade_per_week=fade_speed(points, benefit, fading, policy),
    )


def _onset(diary: CourseDiary, before: _Before, span: _Span, policy: Policy) -> Onset | None:
    """Return the first day after the session on which the improvement is a response, or an entry sooner."""
    session, until, _ = span
    enough = before.level.mean * (1 - policy[RESPONSE_KEY[before.arm]])
    after = before.points(diary.history.between(session + _ONE, until), policy)
    day = next(((day - session).days for day, level in after if reaches(enough, level)), None)
    own = [e for e in diary.timed if e.session == session and e.hours // 24 <= (until - session).days]
    timed = ((e.hours, before.level_on(e.items, policy)) for e in own)
    hours = min((h for h, level in timed if level is not None and reaches(enough, level)), default=None)
    if hours is not None and (day is None or hours // 24 <= day):
        return Onset(int(hours // 24), hours)
    return None if day is None else Onset(day)
