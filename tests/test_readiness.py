"""What must be true before anything starts: usable, fresh crisis lines, and secrets that nobody guesses."""

import base64
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from secrets import token_urlsafe

import pytest

from server.app import create_app
from server.clinical.crisis_lines import SHIPPED
from server.keys.strength import why_weak, why_weak_text
from server.readiness import check_production, crisis_directory
from server.settings import Settings, SettingsError, master_keys, new_master_key
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
    with pytest.raises(SettingsError, match="AS, AT, AU, AX, BE, BG"):
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


SOUND = {
    "public_url": "https://journal.example",
    "jwt_key": token_urlsafe(48),
    "master_key": new_master_key(),
}


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("jwt_key", "j" * 32, "AFTERGLOW_JWT_KEY says the same over and over"),
        ("jwt_key", "abcd1234" * 6, "AFTERGLOW_JWT_KEY says the same over and over"),
        (
            "jwt_key",
            "please-change-me-9f8a7b6c5d4e3f2a1b0c",
            "AFTERGLOW_JWT_KEY looks like one of an example",
        ),
        ("jwt_key", "0123456789abcdef0123456789abcdeX", "AFTERGLOW_JWT_KEY looks like one of an example"),
        ("jwt_key", "aaaabbbbaaaabbbbccccaaaabbbbccccddd", "AFTERGLOW_JWT_KEY has too little chance in it"),
        ("metrics_token", "m" * 40, "AFTERGLOW_METRICS_TOKEN says the same over and over"),
        (
            "master_key",
            base64.b64encode(bytes(32)).decode(),
            "AFTERGLOW_MASTER_KEY says the same over and over",
        ),
        ("backup_key", base64.b64encode(bytes(32)).decode(), "AFTERGLOW_BACKUP_KEY says the same over"),
        # A good one first. No fresh one: every process that runs the suite must name its tests alike.
        (
            "jwt_key",
            f"Qm8Zr2-xVb7Lw_0tYdK5nHc9EjSgP3aUfRi6oXeNqTzA4kDvJ1yMhBlCsWuGpFIO,{'j' * 32}",
            "AFTERGLOW_JWT_KEY says the same over and over",
        ),
        ("public_url", "http://journal.example", "AFTERGLOW_PUBLIC_URL must start with https://"),
    ],
)
def test_production_refuses_what_could_be_guessed_or_overheard(setting: str, value: str, says: str) -> None:
    settings = replace(PRODUCTION, **{**SOUND, setting: value})
    with pytest.raises(SettingsError, match=says) as caught:
        check_production(settings)
    assert value not in str(caught.value)
    with pytest.raises(SettingsError, match=says):
        create_app(settings)
    check_production(replace(settings, environment="development"))


def test_a_second_master_key_is_looked_at_too() -> None:
    both = f"{new_master_key()},{base64.b64encode(b'n' * 32).decode()}"
    with pytest.raises(SettingsError, match="AFTERGLOW_MASTER_KEY"):
        check_production(replace(PRODUCTION, **{**SOUND, "master_key": both}))


@pytest.mark.parametrize("way", ["file", "command"])
def test_a_master_key_from_a_file_or_a_command_is_looked_at_too(tmp_path: Path, way: str) -> None:
    weak = base64.b64encode(bytes(32)).decode()
    (tmp_path / "key").write_text(weak)
    source = {"file": str(tmp_path / "key"), "command": f"echo {weak}"}[way]
    settings = replace(PRODUCTION, **{**SOUND, "master_key": "", f"master_key_{way}": source})
    with pytest.raises(SettingsError, match=f"AFTERGLOW_MASTER_KEY_{way.upper()} says the same") as caught:
        create_app(replace(settings, data_dir=tmp_path))
    assert weak not in str(caught.value)
    assert master_keys(replace(settings, environment="development"))


def test_no_secret_made_by_chance_is_refused() -> None:
    # The same chance in every run: of 16 bytes in hexadecimal one in ten thousand shows too few digits.
    chance = Random(7)

    def urlsafe(size: int) -> str:
        return base64.urlsafe_b64encode(chance.randbytes(size)).decode().rstrip("=")

    for _ in range(300):
        for made in (urlsafe(24), urlsafe(48), chance.randbytes(16).hex(), chance.randbytes(32).hex()):
            assert why_weak_text(made) is None, made
        assert why_weak(chance.randbytes(32)) is None


def test_production_refuses_the_frameworks_debugging_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    settings = replace(PRODUCTION, data_dir=tmp_path, **SOUND)
    with pytest.raises(SettingsError, match="FLASK_DEBUG must not be set in production"):
        create_app(settings)
    monkeypatch.delenv("FLASK_DEBUG")
    assert not create_app(settings).debug


@pytest.mark.parametrize(
    ("url", "counter", "says"),
    [
        ("postgresql+psycopg://app@db.example/afterglow", "", True),
        ("postgresql+psycopg://app@db.example/afterglow", "redis://counter.example", False),
        ("", "", False),
    ],
)
def test_who_grows_past_one_process_is_told_that_requests_are_counted_by_each_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, counter: str, says: bool
) -> None:
    create_app(replace(PRODUCTION, data_dir=tmp_path, **SOUND, database_url=url, limits_url=counter))
    assert ("AFTERGLOW_LIMITS_URL" in caplog.text) is says
