"""The loop, once: a clinic opens, people enrol, a patient writes to each API, her clinician gets a mail."""

import itertools
import json
import mailbox
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import pyotp
from uuid_utils.compat import uuid7

from deploy.rehearsal import proxy
from deploy.rehearsal.running import RehearsalError
from deploy.rehearsal.stage import Stage

MAIL_SECONDS = 90.0
_CLINIC = {"slug": "harbour", "name": "Harbour", "zone": "Europe/Oslo", "country": "NO"}
_PASSWORD = "a rehearsal of everything"
_ELI, _BO, _ANA = "eli@clinic.example", "bo@clinic.example", "ana@home.example"


@dataclass(frozen=True)
class Client:
    """A way in, as somebody who may be signed in. ``trust``: whose certificates are good."""

    address: str
    trust: ssl.SSLContext
    token: str = ""

    def signed_in(self, token: str) -> "Client":
        """Return the same way in for somebody else."""
        return replace(self, token=token)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the answer. Raises `RehearsalError` with the code of the problem where it is refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=15, context=self.trust) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or "{}").get("code", "no problem")
            raise RehearsalError(f"{method} {path}: {error.code} {problem}") from None


@dataclass(frozen=True)
class Found:
    """What the loop came to. ``entries``: the ids of those that were written and read again."""

    entries: Sequence[str]
    mail: Message


def loop(stage: Stage) -> Found:
    """Go once around. Raises `RehearsalError` where a step does not work."""
    trust = proxy.trust(stage.place)
    doors = [Client(door, trust) for door in stage.doors()]
    ana = _people(stage, doors[0])
    entries = [str(uuid7()) for _ in stage.addresses("api")]
    # The proxy takes turns, and where there is none we do: another one takes each, and each is read from all.
    turns = itertools.cycle(door.signed_in(ana) for door in doors)
    for entry_id in entries:
        next(turns).ask("PUT", f"/v1/entries/{entry_id}", _entry())
        read = {next(turns).ask("GET", f"/v1/entries/{entry_id}")["id"] for _ in entries}
        if read != {entry_id}:
            raise RehearsalError("An entry was not found again.")
    return Found(entries, _mail(stage, _BO))


def _people(stage: Stage, api: Client) -> str:
    """Open a clinic with an administrator, a clinician and a patient; return the patient's token."""
    words = [f"--{name}={value}" for name, value in _CLINIC.items()]
    said = stage.command("api", "afterglow", "clinic-add", *words, "--admin=Eli", f"--admin-email={_ELI}")
    code, word = re.findall(r": (\S+)$", said, re.MULTILINE)[0], said.strip().rpartition(": ")[2]
    eli = _with_factor(api.signed_in(_enrol(api, code, _ELI, word)))
    bo_is = {"role": "clinician", "name": "Bo", "email": _BO, "word": "tin bridge"}
    invited = eli.ask("POST", "/v1/clinic/invitations", bo_is)
    bo = _with_factor(api.signed_in(_enrol(api, invited["code"], _BO, "tin bridge")))
    me = bo.ask("GET", "/v1/me")["account_id"]
    patient = bo.ask("POST", "/v1/patients", {"name": "Ana", "zone": "Europe/Oslo", "clinician_id": me})
    way = f"/v1/patients/{patient['id']}/invitations"
    invited = bo.ask("POST", way, {"email": _ANA, "word": "blue kettle"})
    return _enrol(api, invited["code"], _ANA, "blue kettle")


def _enrol(api: Client, code: str, email: str, proof: str) -> str:
    body = {"code": code, "email": email, "proof": proof, "password": _PASSWORD}
    return str(api.ask("POST", "/v1/enrolments", body)["access_token"])


def _with_factor(somebody: Client) -> Client:
    """Give somebody an authenticator, as production asks of staff."""
    made = somebody.ask("POST", "/v1/me/factors/totp", {"name": "telephone"})
    code = {"totp": pyotp.TOTP(made["secret"]).now()}
    somebody.ask("POST", f"/v1/me/factors/totp/{made['id']}/confirm", code)
    return somebody


def _entry() -> dict[str, Any]:
    items = {"mood": 3, "anxiety": 7, "restlessness": 6}
    now = datetime.now(UTC).isoformat()
    return {"occurred_at": now, "zone": "Europe/Oslo", "items": items, "safety": "often"}


def _mail(stage: Stage, to: str) -> Message:
    """Return the message to ``to`` that the mail catcher got."""
    folder = Path(stage.place.here(stage.place.services["mail"], 0, stage.place.services["mail"].command[-1]))
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        stage.running.check()
        found = [one for one in mailbox.Maildir(folder) if one["To"] == to and "review" in str(one)]
        if found:
            return found[0]
        time.sleep(0.2)
    raise RehearsalError(f"The mail catcher got no alert within {MAIL_SECONDS:.0f} s.")
