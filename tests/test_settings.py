"""Settings that can't be used stop the start with one line, which never repeats a secret."""

import base64
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe

import pytest

from server.environment import read_settings
from server.keys.vapid_key import new_vapid_key
from server.settings import PREFIX, Settings, SettingsError, signing_keys, vapid_key

PRODUCTION = {
    "AFTERGLOW_ENVIRONMENT": "production",
    "AFTERGLOW_JWT_KEY": "j" * 32,
    "AFTERGLOW_MASTER_KEY": base64.b64encode(b"m" * 32).decode(),
    "AFTERGLOW_SMTP_URL": "smtp://mail.example",
    "AFTERGLOW_PUBLIC_URL": "https://journal.example",
    "AFTERGLOW_OPERATIONS_EMAIL": "ops@journal.example",
}
PLACES = (
    *("AFTERGLOW_DATA_DIR", "AFTERGLOW_JWT_KEY_FILE", "AFTERGLOW_MASTER_KEY_FILE", "AFTERGLOW_ERASURE_LIST"),
    *("AFTERGLOW_CRISIS_LINES", "AFTERGLOW_AUDIT_ANCHOR", "AFTERGLOW_POSTGRESQL_TOOLS", "AFTERGLOW_PROBE"),
)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"AFTERGLOW_SMS_URL": "smpp://u:hidden@sms.example"}, "AFTERGLOW_SMS_URL must start with http"),
        ({"AFTERGLOW_SMS_URL": "https://u:hidden@sms.example"}, "AFTERGLOW_SMS_FROM must be set"),
        ({"AFTERGLOW_VAPID_KEY": "hidden"}, "AFTERGLOW_VAPID_KEY must be base64url"),
        ({"AFTERGLOW_VAPID_KEY": "A" * 43}, "AFTERGLOW_VAPID_KEY must be base64url"),
        ({"AFTERGLOW_VAPID_KEY": "_" * 42 + "8"}, "AFTERGLOW_VAPID_KEY must be base64url"),
        ({"AFTERGLOW_ALLOW_LOOPBACK_EGRESS": "maybe"}, "must be one of no, yes"),
        (
            {"AFTERGLOW_LIMITS_URL": "http://u:hidden@counter"},
            "AFTERGLOW_LIMITS_URL must start with redis://",
        ),
        # What stands behind a slash or an at of a password would be taken for a port, or a host.
        ({"AFTERGLOW_SMTP_URL": "smtp://u:hidden/x@mail.example:587"}, "AFTERGLOW_SMTP_URL must be SCHEME"),
        ({"AFTERGLOW_LIMITS_URL": "redis://:1/hidden@counter:6379"}, "AFTERGLOW_LIMITS_URL must be SCHEME"),
        ({"AFTERGLOW_LIMITS_URL": "redis://counter:hidden"}, "AFTERGLOW_LIMITS_URL must be SCHEME"),
        ({"AFTERGLOW_DATABASE_URL": "hidden"}, "AFTERGLOW_DATABASE_URL must be an address"),
        ({"AFTERGLOW_MIGRATION_URL": "postgresql://u:p@db:hidden/x"}, "AFTERGLOW_MIGRATION_URL must be an"),
        ({"AFTERGLOW_DIRECT_DATABASE_URL": "hidden"}, "AFTERGLOW_DIRECT_DATABASE_URL must be an address"),
        ({"AFTERGLOW_REPLICA_URL": "hidden"}, "AFTERGLOW_REPLICA_URL must be an address"),
        ({"AFTERGLOW_TRUSTED_PROXIES": "-1"}, "AFTERGLOW_TRUSTED_PROXIES must be a whole number"),
        # Never heard of, many a monitor alarms nobody.
        ({"AFTERGLOW_HEARTBEAT_URL": "monitor.example/hidden"}, "AFTERGLOW_HEARTBEAT_URL must start with"),
        *(
            ({name: "~hidden/nobody"}, f"{name} begins with ~, and that home folder is not known here")
            for name in PLACES
        ),
        ({"AFTERGLOW_LOG": "xml"}, "AFTERGLOW_LOG must be one of text, json"),
        (PRODUCTION | {"AFTERGLOW_ALLOW_LOOPBACK_EGRESS": "yes"}, "must be no in production"),
    ],
)
def test_a_channel_that_is_set_up_wrongly_stops_the_start(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        read_settings(environ)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", PLACES)
def test_the_home_folder_is_filled_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of-ours")
    found = read_settings({name: "~/kept"})
    assert str(getattr(found, name.removeprefix(PREFIX).lower())) == "/home/of-ours/kept"


def test_a_key_for_push_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert vapid_key(settings) == vapid_key(settings)
    read_settings({"AFTERGLOW_VAPID_KEY": vapid_key(settings)})
    assert (tmp_path / "vapid.key").stat().st_mode & 0o077 == 0


def test_a_key_that_is_set_is_the_one_that_counts(tmp_path: Path) -> None:
    key = new_vapid_key()
    assert vapid_key(Settings(data_dir=tmp_path, vapid_key=key)) == key
    assert list(tmp_path.iterdir()) == []


def test_production_makes_no_key_of_its_own(tmp_path: Path) -> None:
    settings = replace(read_settings(PRODUCTION), data_dir=tmp_path)
    assert vapid_key(settings) == ""
    assert list(tmp_path.iterdir()) == []


def test_operations_are_told_at_the_sender_s_address_but_production_names_its_own() -> None:
    assert Settings(mail_from="Afterglow <post@journal.example>").operations_address == "post@journal.example"
    assert Settings(operations_email="Ops <ops@journal.example>").operations_address == "ops@journal.example"
    assert read_settings(PRODUCTION).operations_address == "ops@journal.example"
    with pytest.raises(SettingsError, match="AFTERGLOW_OPERATIONS_EMAIL must be set in production"):
        read_settings({**PRODUCTION, "AFTERGLOW_OPERATIONS_EMAIL": ""})


def test_a_short_metrics_token_is_refused() -> None:
    with pytest.raises(SettingsError, match="AFTERGLOW_METRICS_TOKEN must be at least 32 bytes"):
        read_settings({"AFTERGLOW_METRICS_TOKEN": "secret"})


def test_a_signing_key_comes_from_a_file_that_is_named_and_never_repeated(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text("hidden")
    named = {name: value for name, value in PRODUCTION.items() if name != "AFTERGLOW_JWT_KEY"}
    settings = read_settings({**named, "AFTERGLOW_JWT_KEY_FILE": str(file)})
    with pytest.raises(SettingsError, match="AFTERGLOW_JWT_KEY_FILE must be one key or two") as caught:
        signing_keys(settings)
    assert "hidden" not in str(caught.value)
    file.write_text("h" * 40)
    with pytest.raises(SettingsError, match="AFTERGLOW_JWT_KEY_FILE says the same over and over"):
        signing_keys(settings)
    file.write_text(made := token_urlsafe(48))
    assert signing_keys(settings) == (made,)
    with pytest.raises(SettingsError, match="Set one of AFTERGLOW_JWT_KEY and _FILE"):
        read_settings({**PRODUCTION, "AFTERGLOW_JWT_KEY_FILE": str(file)})
    with pytest.raises(SettingsError, match="AFTERGLOW_JWT_KEY must be set in production"):
        read_settings(named)
