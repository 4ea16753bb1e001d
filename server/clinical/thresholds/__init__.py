"""The table of thresholds: one row for every number of clinical meaning, one file a family.

Sources are named in ``docs/clinical.md``: "simulator" was chosen on simulated patients, "proposal"
has no published standard behind it and needs the clinic's own sign-off.
"""

from collections.abc import Mapping
from types import MappingProxyType

from server.clinical.thresholds.alert import ALERT
from server.clinical.thresholds.alert_budget import ALERT_BUDGET
from server.clinical.thresholds.baseline import BASELINE
from server.clinical.thresholds.confirm import CONFIRM
from server.clinical.thresholds.confounders import CONFOUNDERS
from server.clinical.thresholds.durability import DURABILITY
from server.clinical.thresholds.escalation import ESCALATION
from server.clinical.thresholds.flags import FLAGS
from server.clinical.thresholds.maintenance import MAINTENANCE
from server.clinical.thresholds.mania import MANIA
from server.clinical.thresholds.relapse import RELAPSE
from server.clinical.thresholds.replay import REPLAY
from server.clinical.thresholds.scale import SCALE
from server.clinical.thresholds.silence import SILENCE
from server.clinical.thresholds.stage import STAGE
from server.clinical.thresholds.threshold import Threshold
from server.clinical.thresholds.visit import VISIT

__all__ = ["THRESHOLDS", "Threshold"]

_FAMILIES = (
    ALERT,
    BASELINE,
    RELAPSE,
    DURABILITY,
    FLAGS,
    SILENCE,
    MAINTENANCE,
    CONFIRM,
    SCALE,
    STAGE,
    ESCALATION,
    REPLAY,
    MANIA,
    CONFOUNDERS,
    ALERT_BUDGET,
    VISIT,
)
THRESHOLDS: Mapping[str, Threshold] = MappingProxyType({t.key: t for family in _FAMILIES for t in family})
