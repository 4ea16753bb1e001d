"""What must be true before anything starts: crisis lines that can be used, in production fresh ones."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from server.clinical.crisis_lines import SHIPPED
from server.readiness import crisis_directory
from server.settings import Settings, SettingsError
from tests.clinical.test_crisis_lines import NORWAY

TODAY = date(2026, 12, 1)
PRODUCTION = Settings(environment="production")


def settings_with(folder: Path, text: str) -> Settings:
    """Return settings that name a file with ``text``."""
    file = folder / "lines.toml"
    file.write_text(text, encoding="utf-8")
    return replace(PRODUCTION, crisis_lines=str(file))


def test_without_a_file_the_lines_are_those_shipped() -> None:
    assert crisis_directory(Settings(), TODAY) is SHIPPED


def test_a_clinics_own_lines_are_laid_over_those_shipped(tmp_path: Path) -> None:
    found = crisis_directory(settings_with(tmp_path, NORWAY), TODAY)
    assert (found.of("NO").emergency, found.of("GB")) == ("113", SHIPPED.of("GB"))


def test_production_refuses_one_stale_country_and_names_it(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, NORWAY.replace("2026-03-01", "2025-11-30"))
    with pytest.raises(SettingsError, match=r"crisis lines of NO were last reviewed more than 12 months ago"):
        crisis_directory(settings, TODAY)
    assert crisis_directory(replace(settings, environment="development"), TODAY).of("NO").emergency == "113"


def test_a_clinic_can_review_what_was_shipped_too_long_ago(tmp_path: Path) -> None:
    late = SHIPPED.of("GB").reviewed_on + timedelta(days=400)
    with pytest.raises(SettingsError, match="AU, BE, BR"):
        crisis_directory(PRODUCTION, late)
    row = NORWAY.replace("2026-03-01", late.isoformat())
    every = "".join(row.replace("NO", key) for key in SHIPPED.by_country)
    assert crisis_directory(settings_with(tmp_path, every), late).stale(late) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[NO]", "AFTERGLOW_CRISIS_LINES: NO.emergency: is missing"),
        (NORWAY.replace("2026", "2027"), "AFTERGLOW_CRISIS_LINES: NO.reviewed_on: lies in the future"),
    ],
)
def test_a_file_that_can_not_be_used_stops_every_start(tmp_path: Path, text: str, problem: str) -> None:
    settings = replace(settings_with(tmp_path, text), environment="development")
    with pytest.raises(SettingsError) as refused:
        crisis_directory(settings, TODAY)
    assert str(refused.value) == problem


@pytest.mark.parametrize("raw", [None, b"\xff"])
def test_a_file_that_is_not_there_or_no_text_is_named_by_its_setting(
    tmp_path: Path, raw: bytes | None
) -> None:
    if raw is not None:
        (tmp_path / "lines.toml").write_bytes(raw)
    with pytest.raises(SettingsError, match="AFTERGLOW_CRISIS_LINES can't be read as a file of text"):
        crisis_directory(Settings(crisis_lines=str(tmp_path / "lines.toml")), TODAY)
