"""The settings of a connection to a FHIR system, read and checked (docs/scheduling-fhir.md, "Settings")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.gateways.address import check_address
from server.gateways.scheduling.backend_services import Account, service_key
from server.gateways.scheduling.port import Config

# What we write and read, in the words of SMART 2: create, read, update, search.
SCOPE = "system/Appointment.crus system/ServiceRequest.crus system/Slot.rs"
_MEMBERS = {"base_url", "auth", "transaction", "appointment_only", "patient_system", "slots"}
_AUTH_MEMBERS = {
    "none": set[str](),
    "bearer": {"token"},
    "backend": {"client_id", "token_url", "scope", "key", "kid", "alg"},
}


@dataclass(frozen=True)
class FhirConfig:
    """One system. ``auth``: a fixed bearer token, an account of a service, or None: it lets everybody in.

    ``slots``: "none", "fhir" (its own Slots), or the address of a SMART Scheduling Links manifest.
    """

    base_url: str
    auth: str | Account | None = field(default=None, repr=False)
    transaction: bool = False
    appointment_only: bool = False
    patient_system: str | None = None
    slots: str = "none"


def check(config: Config, allow_loopback: bool = True) -> None:
    """Raise ValueError, `/member: reason`, where ``config`` is none.

    ``allow_loopback``: an address of this machine will do; whether it may be written to is decided at
    sending all the same.
    """
    found = read_config(config)
    token_url = found.auth.token_url if isinstance(found.auth, Account) else None
    links = found.slots if found.slots not in ("none", "fhir") else None
    for pointer, address in (
        ("/base_url", found.base_url),
        ("/auth/token_url", token_url),
        ("/slots", links),
    ):
        if address is not None:
            _check_address(pointer, address, allow_loopback)


def read_config(config: Config) -> FhirConfig:
    """Return the settings in ``config``; raise ValueError as `check` does."""
    _check_members(config, _MEMBERS, "")
    found = FhirConfig(
        base_url=_address(config, "/base_url").rstrip("/"),
        auth=_auth(config.get("auth", {"kind": "none"})),
        transaction=_flag(config, "transaction"),
        appointment_only=_flag(config, "appointment_only"),
        patient_system=_optional(config, "/patient_system"),
        slots=_slots(config.get("slots", "none")),
    )
    if found.transaction and found.appointment_only:
        raise ValueError("/transaction: makes no sense for an appointment alone")
    return found


def _auth(raw: Any) -> str | Account | None:
    kind = raw.get("kind") if isinstance(raw, Mapping) else None
    if not isinstance(kind, str) or kind not in _AUTH_MEMBERS:
        raise ValueError(f"/auth/kind: must be one of {', '.join(_AUTH_MEMBERS)}")
    _check_members(raw, {"kind", *_AUTH_MEMBERS[kind]}, "/auth")
    if kind == "bearer":
        return _token(_text(raw, "/auth/token"))
    return _account(raw) if kind == "backend" else None


def _token(token: str) -> str:
    # It becomes a header: a line's end or a space in it would say something else.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("/auth/token: must be ASCII without spaces")
    return token


def _account(raw: Mapping[str, Any]) -> Account:
    key = raw.get("key")
    if not isinstance(key, str | Mapping):
        raise ValueError("/auth/key: must be a private key, as PEM or as a JWK")
    named = key.get("alg") if isinstance(key, Mapping) else None
    try:
        read = service_key(key, _optional(raw, "/auth/kid"), _optional(raw, "/auth/alg") or named or "ES384")
    except ValueError as reason:
        raise ValueError(f"/auth/{reason}") from None
    return Account(
        client_id=_text(raw, "/auth/client_id"),
        scope=_optional(raw, "/auth/scope") or SCOPE,
        key=read,
        token_url=_address(raw, "/auth/token_url") if raw.get("token_url") is not None else None,
    )


def _slots(raw: Any) -> str:
    if raw in ("none", "fhir"):
        return str(raw)
    if isinstance(raw, Mapping) and set(raw) == {"links"}:
        return _address(raw, "/slots/links")
    raise ValueError('/slots: must be "none", "fhir" or {"links": address of a manifest}')


def _check_address(pointer: str, address: str, allow_loopback: bool) -> None:
    try:
        check_address(address, allow_loopback)
    except ValueError as reason:
        raise ValueError(f"{pointer}: {reason}") from None


def _address(raw: Mapping[str, Any], pointer: str) -> str:
    found = _text(raw, pointer)
    _check_address(pointer, found, allow_loopback=True)
    if "?" in found:
        raise ValueError(f"{pointer}: must hold no query")
    return found


def _text(raw: Mapping[str, Any], pointer: str) -> str:
    found = _optional(raw, pointer)
    if found is None:
        raise ValueError(f"{pointer}: is missing")
    return found


def _optional(raw: Mapping[str, Any], pointer: str) -> str | None:
    found = raw.get(pointer.rpartition("/")[2])
    if found is not None and (not isinstance(found, str) or not found.strip()):
        raise ValueError(f"{pointer}: must be text")
    return found


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    found = raw.get(name, False)
    if not isinstance(found, bool):
        raise ValueError(f"/{name}: must be true or false")
    return found


def _check_members(raw: Mapping[str, Any], known: set[str], pointer: str) -> None:
    for name in raw:
        if name not in known:
            raise ValueError(f"{pointer}/{name}: is not known")
