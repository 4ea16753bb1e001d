"""Read `Settings` from the environment, and refuse what can't be used."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from server.keys.sealing import KEY_BYTES
from server.keys.vapid_key import is_vapid_key
from server.settings import (
    PREFIX,
    Settings,
    SettingsError,
    check_keys,
    master_key_sources,
    read_value,
    variables,
)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Build `Settings` from ``environ``; `SettingsError` names the first variable that can't be used."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        if raw := environ.get(name, ""):
            values[setting.name] = read_value(name, raw, setting.metadata["read"])
    unknown = sorted(n for n in environ if n.startswith(PREFIX) and n not in variables())
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting of Afterglow")
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if settings.sms_url and not settings.sms_from:
        raise SettingsError(f"{PREFIX}SMS_FROM must be set where {PREFIX}SMS_URL is")
    if settings.vapid_key and not is_vapid_key(settings.vapid_key):
        # Never repeat the value: it may be a key with one character wrong.
        raise SettingsError(f"{PREFIX}VAPID_KEY must be base64url of a P-256 private key, {KEY_BYTES} bytes")
    check_keys(settings)
    if settings.environment == "production":
        _check_production(settings)


def _check_production(settings: Settings) -> None:
    if not any(master_key_sources(settings)):
        raise SettingsError(f"{PREFIX}MASTER_KEY must be set in production")
    if not settings.jwt_key and not settings.jwt_key_file:
        raise SettingsError(f"{PREFIX}JWT_KEY must be set in production")
    for name in ("smtp_url", "public_url", "operations_email"):
        if not getattr(settings, name):
            raise SettingsError(f"{PREFIX}{name.upper()} must be set in production")
    if settings.password_cost != "standard":
        raise SettingsError(f"{PREFIX}PASSWORD_COST must be standard in production")
    if settings.staff_second_factor == "optional":
        raise SettingsError(f"{PREFIX}STAFF_SECOND_FACTOR must be required in production")
    if settings.allow_loopback_egress != "no":
        raise SettingsError(f"{PREFIX}ALLOW_LOOPBACK_EGRESS must be no in production")
