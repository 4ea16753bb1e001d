"""What must be true of our own texts before anything starts: the crisis lines can be used and are fresh."""

from datetime import date
from pathlib import Path

from server.clinical.crisis_lines import SHIPPED, CrisisLinesError, Directory
from server.settings import PREFIX, Settings, SettingsError

_NAME = f"{PREFIX}CRISIS_LINES"


def crisis_directory(settings: Settings, today: date) -> Directory:
    """Return the crisis lines shipped, with those of the settings' file laid over them.

    Raises SettingsError where the file can't be used, and in production where any country's lines were
    not reviewed for 12 months: a patient may live in, or travel to, any of them.
    """
    found = _overlaid(settings.crisis_lines, today) if settings.crisis_lines else SHIPPED
    stale = found.stale(today) if settings.environment == "production" else ()
    if stale:
        raise SettingsError(
            f"The crisis lines of {', '.join(stale)} were last reviewed more than 12 months ago: update to a "
            f"version in which they were, or review them and name your file in {_NAME}"
        )
    return found


def _overlaid(name: str, today: date) -> Directory:
    try:
        found = SHIPPED.overlaid(Path(name).expanduser().read_text(encoding="utf-8"))
    except CrisisLinesError as error:
        raise SettingsError(f"{_NAME}: {error}") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{_NAME} can't be read as a file of text") from None
    ahead = [key for key in found.ahead_of(today) if found.by_country[key] != SHIPPED.by_country.get(key)]
    if ahead:
        raise SettingsError(f"{_NAME}: {ahead[0]}.reviewed_on: lies in the future")
    return found
