"""One frozen `Settings`, and the keys that come of it. Every variable is listed once, here.

`server.environment` reads them.
`docs/operations.md` repeats the table below for people; a test keeps the two equal.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any

from server import setting_kinds as kinds
from server.keys.kept import MASTER_KEY, kept
from server.keys.key_file import current
from server.keys.master_source import by_chance, fixed, from_command, in_file, usable
from server.keys.masters import Masters
from server.keys.sealing import new_key
from server.keys.vapid_key import new_vapid_key
from server.postgresql.settings import ServerSettings, database_address

PREFIX = "AFTERGLOW_"


class SettingsError(ValueError):
    """A variable of the environment can't be used; the message names it and says why."""


def _setting(default: Any, read: Callable[[str], Any], text: str) -> Any:
    return field(default=default, metadata={"read": read, "help": text})


@dataclass(frozen=True, slots=True)
class Settings(ServerSettings):
    """Everything that differs between a laptop and production."""

    environment: str = _setting(
        "development",
        kinds.choice("development", "production"),
        "`production` refuses to start with generated keys or the embedded mailbox",
    )
    database_url: str = _setting(
        "", database_address, "SQLAlchemy address; empty means embedded SQLite at `DATA_DIR`/afterglow.db"
    )
    migration_url: str = _setting(
        "",
        database_address,
        "address for `afterglow migrate`, of the role that owns the tables; empty means `DATABASE_URL`",
    )
    data_dir: Path = _setting(Path("var"), kinds.path, "folder of the embedded database, keys and mailbox")
    host: str = _setting("127.0.0.1", kinds.text, "address the API listens on")
    port: int = _setting(8000, kinds.whole, "port the API listens on")
    public_url: str = _setting("", kinds.text, "address written into messages; empty means http://HOST:PORT")
    jwt_key: str = _setting(
        "",
        kinds.keys,
        "signing key of access tokens, 32 bytes or more, and perhaps a second one after a comma: the first "
        "signs, both are taken; empty means one kept in `DATA_DIR`",
    )
    jwt_key_file: str = _setting(
        "", kinds.place, "file that holds it instead; running processes take up what is changed there"
    )
    master_key: str = _setting(
        "",
        kinds.text,
        "wraps the clinics' keys: base64 of 32 bytes, the current one first, older ones after commas; "
        "empty means one kept in `DATA_DIR`",
    )
    master_key_file: str = _setting(
        "", kinds.place, "file that holds it instead; running processes take up what is changed there"
    )
    master_key_command: str = _setting(
        "",
        kinds.text,
        "command that prints it instead, within 30 s, at each start and where a process meets a key it does "
        "not know; no shell reads it",
    )
    erasure_list: str = _setting(
        "",
        kinds.place,
        "file with a line for each erasure, which a restore applies again; empty means one in `DATA_DIR`",
    )
    record_years: int = _setting(
        0, kinds.whole, "years after its last change at which a patient's record is erased; 0 means never"
    )
    crisis_lines: str = _setting(
        "", kinds.place, "TOML file of crisis lines that take the place of those shipped, country by country"
    )
    audit_anchor: str = _setting(
        "",
        kinds.place,
        "file that audit chains' ends are added to; empty means audit-anchor.jsonl in `DATA_DIR`",
    )
    backup_key: str = _setting(
        "", kinds.text, "encrypts backups: base64 of 32 bytes, older keys after commas"
    )
    postgresql_tools: str = _setting(
        "", kinds.place, "folder of pg_dump, pg_restore and psql; empty means by `PATH`"
    )
    access_minutes: int = _setting(10, kinds.between(1, 10), "life of an access token, 1-10 minutes")
    refresh_days: int = _setting(60, kinds.between(1, 365), "days after which an unused sign-in ends, 1-365")
    sign_in_days: int = _setting(365, kinds.between(1, 3650), "days after which any sign-in ends, 1-3650")
    staff_second_factor: str = _setting(
        "",
        kinds.choice("", "required", "optional"),
        "`required` or `optional`: whether staff may sign in with a password alone; empty means required in "
        "production, else optional",
    )
    smtp_url: str = _setting(
        "",
        kinds.address("smtp", "smtps"),
        "`smtp://user:password@host:587` with verified STARTTLS; empty means the embedded mailbox",
    )
    mail_from: str = _setting("afterglow@localhost", kinds.text, "sender of outgoing e-mail")
    sms_url: str = _setting(
        "",
        kinds.web,
        "SMS gateway as Kannel's, `https://user:password@host:port/cgi-bin/sendsms`; empty means no SMS",
    )
    sms_from: str = _setting("", kinds.text, "sender of outgoing SMS: a number, or up to 11 letters")
    vapid_key: str = _setting(
        "",
        kinds.text,
        "private key for Web Push, base64url of 32 bytes; empty means one kept in `DATA_DIR`, "
        "in production no push",
    )
    allow_loopback_egress: str = _setting(
        "no",
        kinds.choice("no", "yes"),
        "`yes` lets webhooks and pushes reach this machine, also by plain http, and webhooks be registered "
        "for it; for development and tests only",
    )
    heartbeat_url: str = _setting(
        "", kinds.web, "address asked (GET) after real work of the job runner, for an outside monitor"
    )
    operations_email: str = _setting(
        "", kinds.text, "where whoever runs this service is told; empty means the address of `MAIL_FROM`"
    )
    probe: str = _setting(
        "", kinds.place, "TOML file of where the probe of each channel goes; empty means e-mail to operations"
    )
    metrics_token: str = _setting(
        "",
        kinds.key,
        "bearer token of `GET /metrics`, 32 bytes or more; empty means open, in production closed",
    )
    password_cost: str = _setting(
        "standard", kinds.choice("standard", "cheap"), "Argon2id profile; `cheap` is for tests only"
    )
    max_body_bytes: int = _setting(262_144, kinds.whole, "largest request body, in bytes")
    requests_per_minute: int = _setting(
        600,
        kinds.whole,
        "requests of one device, or of an address without a sign-in; 0: a proxy limits them",
    )
    limits_url: str = _setting(
        "",
        kinds.address("redis", "rediss"),
        "`redis://` address of a Redis or Valkey server in which all processes count requests together; "
        "empty means that each counts for itself",
    )
    trusted_proxies: int = _setting(
        0,
        kinds.whole,
        "proxies in front that add to `X-Forwarded-For`; 0: that header is not read",
    )
    sms_a_month: int = _setting(
        2000,
        kinds.whole,
        "SMS of one clinic in a calendar month (UTC); emergencies always leave",
    )
    log: str = _setting("text", kinds.choice("text", "json"), "how log lines are written")

    @property
    def sqlalchemy_url(self) -> str:
        """The database address, the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.embedded_database}"

    @property
    def embedded_database(self) -> Path:
        """The file of the database where none is named."""
        return self.data_dir / "afterglow.db"

    @property
    def mailbox_dir(self) -> Path:
        """Where the embedded mailbox keeps what would have been sent (a Maildir)."""
        return self.data_dir / "mailbox"

    @property
    def anchor_file(self) -> Path:
        """Where the ends of the audit chains are written down."""
        return Path(self.audit_anchor or self.data_dir / "audit-anchor.jsonl")

    @property
    def operations_address(self) -> str:
        """Where whoever runs this service is told."""
        return parseaddr(self.operations_email or self.mail_from)[1]

    @property
    def needs_second_factor(self) -> bool:
        """Whether staff can do nothing before they have a second factor."""
        return self.environment == "production" or self.staff_second_factor == "required"

    @property
    def base_url(self) -> str:
        """The address written into messages, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def variables() -> dict[str, str]:
    """Return every variable's full name and its help text."""
    return {PREFIX + f.name.upper(): f.metadata["help"] for f in fields(Settings)}


def read_value(name: str, raw: str, reader: Callable[[str], Any]) -> Any:
    """Return what ``raw`` says; SettingsError names the variable where it can't be used."""
    try:
        return reader(raw)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from None


def check_keys(settings: Settings) -> None:
    """Raise SettingsError where the signing or the master key is named twice, or none that can be used."""
    if settings.jwt_key and settings.jwt_key_file:
        raise SettingsError(f"Set one of {PREFIX}JWT_KEY and _FILE, not both")
    if len([one for one in master_key_sources(settings) if one]) > 1:
        raise SettingsError(f"Set one of {PREFIX}MASTER_KEY, _FILE and _COMMAND, not several")
    if settings.master_key:
        read_value(f"{PREFIX}MASTER_KEY", settings.master_key, usable)


def master_key_sources(settings: Settings) -> tuple[str, str, str]:
    """Return where the master key may come from: itself, a file, a command; empty where not from there."""
    return settings.master_key, settings.master_key_file, settings.master_key_command


def signing_keys(settings: Settings, fresh: bool = False) -> tuple[str, ...]:
    """Return the keys of access tokens, the one that signs first, making and keeping one in development.

    ``fresh``: look at once whether their file has changed. Raises SettingsError where it can't be used.
    """
    if settings.jwt_key_file and not settings.jwt_key:
        check = kinds.chance_keys if settings.environment == "production" else kinds.keys
        name, path = f"{PREFIX}JWT_KEY_FILE", settings.jwt_key_file
        raw = read_value(name, path, partial(current, check=check, fresh=fresh))
    else:
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


def master_keys(settings: Settings) -> Masters:
    """Return what wraps the clinics' keys, making and keeping a key in development.

    Those of a file or a command follow it. Raises SettingsError where they can't be had, in production also
    where they could be guessed.
    """
    check = by_chance if settings.environment == "production" else usable
    name, (itself, file, command) = f"{PREFIX}MASTER_KEY", master_key_sources(settings)
    if file and not itself:
        return _masters(f"{name}_FILE", file, partial(in_file, check=check))
    if command and not itself:
        return _masters(f"{name}_COMMAND", command, partial(from_command, check=check))
    text = itself or kept(settings.data_dir, MASTER_KEY, new_master_key)
    return _masters(name, text, partial(fixed, check=check))


def _masters(name: str, raw: str, reader: Callable[[str], Masters]) -> Masters:
    found: Masters = read_value(name, raw, reader)
    return found


def check_strength(name: str, why: str | None) -> None:
    """Raise SettingsError where there is a reason ``why`` the secret in that variable can't be trusted."""
    if why is not None:
        # Never repeat the value: it is a key all the same.
        raise SettingsError(f"{name} {why}: make one by chance")


def new_master_key() -> str:
    """Return a fresh master key as the setting wants it."""
    return base64.b64encode(new_key()).decode()
