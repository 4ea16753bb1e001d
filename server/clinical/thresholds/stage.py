"""When diary and scale say something together, and when nothing has been said for long enough."""

from server.clinical.thresholds.threshold import Threshold

STAGE = (
    Threshold("stage.join_days", 7, 1, 21, "days", "proposal", "diary and scale within these agree"),
    Threshold("stage.repeat_days", 5, 2, 14, "days", "proposal", "a second signal of the diary within these"),
    Threshold("stage.calm_days", 14, 5, 42, "days", "proposal", "days without a rule that end a stage"),
)
