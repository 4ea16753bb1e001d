"""What must be true of our own texts before production may start."""

from datetime import datetime

from server.clinical import crisis_lines
from server.settings import Settings, SettingsError


def check_texts(settings: Settings, now: datetime) -> None:
    """Refuse production with crisis lines nobody has reviewed for 12 months; raise SettingsError."""
    if settings.environment == "production" and crisis_lines.is_stale(now.date()):
        raise SettingsError(
            f"The crisis lines were last reviewed on {crisis_lines.REVIEWED_ON}, more than 12 months ago: "
            "update to a version in which they were reviewed, or review server/clinical/crisis_lines.py"
        )
