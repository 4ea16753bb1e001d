"""When the watch asks for a questionnaire."""

from server.clinical.thresholds.threshold import Threshold

CONFIRM = (
    Threshold("confirm.open_days", 3, 1, 7, "days", "proposal", "how long what the watch asks is open"),
    Threshold("confirm.again_days", 14, 7, 90, "days", "proposal", "calm before the watch asks it again"),
    Threshold("confirm.fresh_days", 2, 0, 14, "days", "proposal", "an answer as fresh as this is enough"),
)
