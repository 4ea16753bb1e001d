"""Typed readers of the environment and one frozen `Settings`. Every variable is listed once, here.

`docs/operations.md` repeats the table below for people; a test keeps the two equal.
"""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.kept import kept
from server.postgresql.settings import ServerSettings
from server.sealing import KEY_BYTES, Keyring, master_keyring, new_key
from server.vapid_key import is_vapid_key, new_vapid_key

PREFIX = "AFTERGLOW_"
SMALLEST_KEY = 32
MOST_SIGNING_KEYS = 2


class SettingsError(ValueError):
    """A variable of the environment can't be used; the message names it and says why."""


def _text(raw: str) -> str:
    return raw


def _whole(raw: str) -> int:
    if not raw.isdecimal():
        raise ValueError("must be a whole number")
    return int(raw)


def _path(raw: str) -> Path:
    return Path(raw).expanduser()


def _key(raw: str) -> str:
    if len(raw.encode()) < SMALLEST_KEY:
        raise ValueError(f"must be at least {SMALLEST_KEY} bytes")
    return raw


def _keys(raw: str) -> str:
    keys = raw.split(",")
    if len(keys) > MOST_SIGNING_KEYS or any(len(key.strip().encode()) < SMALLEST_KEY for key in keys):
        raise ValueError(f"must be one key or two, each of at least {SMALLEST_KEY} bytes")
    return raw


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return read


def _setting(default: Any, read: Callable[[str], Any], text: str) -> Any:
    return field(default=default, metadata={"read": read, "help": text})


@dataclass(frozen=True, slots=True)
class Settings(ServerSettings):
    """Everything that differs between a laptop and production."""

    environment: str = _setting(
        "development",
        _choice("development", "production"),
        "`production` refuses to start with generated keys or the embedded mailbox",
    )
    database_url: str = _setting(
        "", _text, "SQLAlchemy address; empty means embedded SQLite at `DATA_DIR`/afterglow.db"
    )
    data_dir: Path = _setting(Path("var"), _path, "folder of the embedded database, keys and mailbox")
    host: str = _setting("127.0.0.1", _text, "address the API listens on")
    port: int = _setting(8000, _whole, "port the API listens on")
    public_url: str = _setting("", _text, "address written into messages; empty means http://HOST:PORT")
    jwt_key: str = _setting(
        "",
        _keys,
        "signing key of access tokens, 32 bytes or more, and perhaps a second one after a comma: the first "
        "signs, both are taken; empty means one kept in `DATA_DIR`",
    )
    master_key: str = _setting(
        "",
        _text,
        "wraps the clinics' keys: base64 of 32 bytes, the current one first, older ones after commas; "
        "empty means one kept in `DATA_DIR`",
    )
    crisis_lines: str = _setting(
        "", _text, "TOML file of crisis lines that take the place of those shipped, country by country"
    )
    audit_anchor: str = _setting(
        "",
        _text,
        "file that audit chains' ends are added to; empty means audit-anchor.jsonl in `DATA_DIR`",
    )
    backup_key: str = _setting("", _text, "encrypts backups: base64 of 32 bytes, older keys after commas")
    postgresql_tools: str = _setting("", _text, "folder of pg_dump and pg_restore; empty means by `PATH`")
    access_minutes: int = _setting(10, _whole, "life of an access token, 1-10 minutes")
    refresh_days: int = _setting(60, _whole, "days after which an unused sign-in ends, 1-365")
    staff_second_factor: str = _setting(
        "",
        _choice("", "required", "optional"),
        "`required` or `optional`: whether staff may sign in with a password alone; empty means required in "
        "production, else optional",
    )
    smtp_url: str = _setting(
        "",
        _text,
        "`smtp://user:password@host:587` with verified STARTTLS; empty means the embedded mailbox",
    )
    mail_from: str = _setting("afterglow@localhost", _text, "sender of outgoing e-mail")
    sms_url: str = _setting(
        "",
        _text,
        "SMS gateway as Kannel's, `https://user:password@host:port/cgi-bin/sendsms`; empty means no SMS",
    )
    sms_from: str = _setting("", _text, "sender of outgoing SMS: a number, or up to 11 letters")
    vapid_key: str = _setting(
        "",
        _text,
        "private key for Web Push, base64url of 32 bytes; empty means one kept in `DATA_DIR`, "
        "in production no push",
    )
    allow_loopback_egress: str = _setting(
        "no",
        _choice("no", "yes"),
        "`yes` lets webhooks and pushes reach this machine, also by plain http, and webhooks be registered "
        "for it; for development and tests only",
    )
    heartbeat_url: str = _setting(
        "", _text, "address asked (GET) after real work of the job runner, for an outside monitor"
    )
    operations_email: str = _setting(
        "", _text, "where whoever runs this service is told; empty means the address of `MAIL_FROM`"
    )
    probe: str = _setting(
        "", _text, "TOML file of where the probe of each channel goes; empty means e-mail to operations"
    )
    metrics_token: str = _setting(
        "", _key, "bearer token of `GET /metrics`, 32 bytes or more; empty means open, in production closed"
    )
    password_cost: str = _setting(
        "standard", _choice("standard", "cheap"), "Argon2id profile; `cheap` is for tests only"
    )
    max_body_bytes: int = _setting(262_144, _whole, "largest request body, in bytes")

    @property
    def sqlalchemy_url(self) -> str:
        """The database address, the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'afterglow.db'}"

    @property
    def mailbox_dir(self) -> Path:
        """Where the embedded mailbox keeps what would have been sent (a Maildir)."""
        return self.data_dir / "mailbox"

    @property
    def anchor_file(self) -> Path:
        """Where the ends of the audit chains are written down."""
        return Path(self.audit_anchor or self.data_dir / "audit-anchor.jsonl").expanduser()

    @property
    def operations_address(self) -> str:
        """Where whoever runs this service is told."""
        return self.operations_email or parseaddr(self.mail_from)[1]

    @property
    def needs_second_factor(self) -> bool:
        """Whether staff can do nothing before they have a second factor."""
        return self.environment == "production" or self.staff_second_factor == "required"

    @property
    def base_url(self) -> str:
        """The address written into messages, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Build `Settings` from ``environ``; `SettingsError` names the first variable that can't be used."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        if raw := environ.get(name, ""):
            values[setting.name] = _read(name, raw, setting.metadata["read"])
    unknown = sorted(n for n in environ if n.startswith(PREFIX) and n not in variables())
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting of Afterglow")
    settings = Settings(**values)
    _check(settings)
    return settings


def variables() -> dict[str, str]:
    """Return every variable's full name and its help text."""
    return {PREFIX + f.name.upper(): f.metadata["help"] for f in fields(Settings)}


def _read(name: str, raw: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(raw)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from None


def _check(settings: Settings) -> None:
    if not 1 <= settings.access_minutes <= 10:
        raise SettingsError(f"{PREFIX}ACCESS_MINUTES must be 1-10")
    if not 1 <= settings.refresh_days <= 365:
        raise SettingsError(f"{PREFIX}REFRESH_DAYS must be 1-365")
    if settings.smtp_url and urlsplit(settings.smtp_url).scheme not in ("smtp", "smtps"):
        raise SettingsError(f"{PREFIX}SMTP_URL must start with smtp:// or smtps://")
    _check_sms(settings)
    if settings.vapid_key and not is_vapid_key(settings.vapid_key):
        # Never repeat the value: it may be a key with one character wrong.
        raise SettingsError(f"{PREFIX}VAPID_KEY must be base64url of a P-256 private key, {KEY_BYTES} bytes")
    if settings.master_key:
        _master_keys(settings.master_key)
    if settings.environment == "production":
        _check_production(settings)


def _check_sms(settings: Settings) -> None:
    if not settings.sms_url:
        return
    if urlsplit(settings.sms_url).scheme not in ("http", "https"):
        raise SettingsError(f"{PREFIX}SMS_URL must start with http:// or https://")
    if not settings.sms_from:
        raise SettingsError(f"{PREFIX}SMS_FROM must be set where {PREFIX}SMS_URL is")


def _check_production(settings: Settings) -> None:
    for name in ("jwt_key", "master_key", "smtp_url", "public_url", "operations_email"):
        if not getattr(settings, name):
            raise SettingsError(f"{PREFIX}{name.upper()} must be set in production")
    if settings.password_cost != "standard":
        raise SettingsError(f"{PREFIX}PASSWORD_COST must be standard in production")
    if settings.staff_second_factor == "optional":
        raise SettingsError(f"{PREFIX}STAFF_SECOND_FACTOR must be required in production")
    if settings.allow_loopback_egress != "no":
        raise SettingsError(f"{PREFIX}ALLOW_LOOPBACK_EGRESS must be no in production")


def signing_keys(settings: Settings) -> tuple[str, ...]:
    """Return the keys of access tokens, the one that signs first, making and keeping one in development."""
    raw = settings.jwt_key or kept(settings.data_dir, "signing.key", lambda: secrets.token_urlsafe(48))
    return tuple(key.strip() for key in raw.split(","))


def report_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys of the proofs in the addresses that an SMS gateway reports to; the first makes them."""
    return tuple(key.encode() for key in signing_keys(settings))


def vapid_key(settings: Settings) -> str:
    """Return the private key for Web Push, making and keeping one in development; empty means no push.

    Production makes none: two machines with keys of their own would each lose the other's browsers.
    """
    if settings.vapid_key or settings.environment == "production":
        return settings.vapid_key
    return kept(settings.data_dir, "vapid.key", new_vapid_key)


def master_keys(settings: Settings) -> Keyring:
    """Return the keyring that wraps the clinics' keys, making and keeping a key in development."""
    return _master_keys(settings.master_key or kept(settings.data_dir, "master.key", new_master_key))


def new_master_key() -> str:
    """Return a fresh master key as the setting wants it."""
    return base64.b64encode(new_key()).decode()


def _master_keys(text: str) -> Keyring:
    try:
        keys = tuple(base64.b64decode(part.strip(), validate=True) for part in text.split(","))
        return master_keyring(keys)
    except ValueError:
        # Never repeat the value: it may be a key with one character wrong.
        raise SettingsError(f"{PREFIX}MASTER_KEY must be base64 of {KEY_BYTES} bytes") from None
