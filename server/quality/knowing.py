"""What the watch's rules could reach at most: the same rules, told the person's true level.

Only a simulation knows that. The baseline is replaced by the truth and its own error is none, and
nobody waits for it to fill; everything else is the watch. A bound for these rules, not a theorem.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from server.clinical.baseline import Baseline
from server.clinical.era import Era
from server.clinical.policy import Policy
from server.clinical.series import COMPOSITE, COMPOSITE_ITEMS, UNREST, UNREST_ITEMS, Level
from server.clinical.walk import walk
from server.quality.figures import Truth
from server.quality.replay import Diary, Replay
from server.quality.rivals import alarms

KNOWING = "the same rules, knowing the person"


def knowing(diary: Diary, levels: Mapping[str, Level], truth: Truth, policy: Policy) -> Replay:
    """Return what the rules say of the first arm of ``diary`` from the day judging begins.

    ``levels``: the true one of every item, the composite and unrest, higher is worse.
    """
    era = _era(diary, levels, truth, policy)
    walked = walk(diary.history, era, policy, (era.stages[0].first_day, diary.last), diary.treatments)
    judged = (diary.last - truth.judged_from).days + 1
    return Replay(era.stages[0].arm, None, alarms(walked.signals(), KNOWING, policy), judged, 0)


def _era(diary: Diary, levels: Mapping[str, Level], truth: Truth, policy: Policy) -> Era:
    arm, session = diary.arms()[0], max(one.day for one in diary.treatments)
    groups = ((COMPOSITE, COMPOSITE_ITEMS[arm]), (UNREST, UNREST_ITEMS[arm]))
    blends = {
        name: {key: levels[key].mean for key in items if key in levels}
        for name, items in groups
        if name in levels
    }
    told = Baseline(
        arm=arm,
        anchor_day=session,
        first_day=session + timedelta(days=policy.whole("baseline.settle_days")),
        last_day=truth.judged_from - timedelta(days=1),
        days_observed=levels[COMPOSITE].n,
        levels=levels,
        means={name: level.mean for name, level in levels.items()},
        blends=MappingProxyType(blends),
        pre_level=None,
        responded=None,
        policy_version=policy.version,
    )
    return Era((told,), diary.last)
