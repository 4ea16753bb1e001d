"""JSON-RPC as Tryton 7.0 speaks it (`trytond/protocols`): sign in once, then ask models."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from server.gateways.egress import Egress
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError

_NOT_SIGNED_IN = 401
# What its rules say no to; they will say so again.
_FINAL = frozenset({"UserError", "UserWarning"})
_CHANGED = "ConcurrencyException"

_MOST_ROWS = 50
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")

Row = Mapping[str, Any]


class Tryton:
    """One user at one database. Every method raises `SendError`; the session lasts as long as this does."""

    def __init__(self, egress: Egress, base_url: str, database: str, account: tuple[str, str]) -> None:
        self._egress, self._account = egress, account
        self._url = f"{base_url}/{quote(database, safe='')}/"
        self._session: str | None = None

    def lane(self) -> str:
        """Name host and port."""
        where = self._egress.place(self._url)
        return f"{where.host}:{where.port}"

    def rows(self, model: str, domain: Sequence[Any], fields: Sequence[str], now: datetime) -> list[Row]:
        """Return what matches ``domain``, the oldest first."""
        method = f"model.{model}.search_read"
        found = self._call((method, [*domain], 0, _MOST_ROWS, [["id", "ASC"]], [*fields], {}), now)
        if not isinstance(found, list) or not all(_has(row, fields) for row in found):
            raise unreadable()
        return found

    def create(self, model: str, values: Row, now: datetime) -> None:
        """Make one record."""
        self._call((f"model.{model}.create", [values], {}), now)

    def write(self, model: str, row: Row, values: Row, now: datetime) -> None:
        """Change a record that was read with `id` and `_timestamp`, unless it has changed since."""
        stamp = {"_timestamp": {f"{model},{row['id']}": row["_timestamp"]}}
        self._call((f"model.{model}.write", [row["id"]], values, stamp), now)

    def _call(self, call: Sequence[Any], now: datetime) -> Any:
        reply = self._asked(call, now)
        if reply.status == _NOT_SIGNED_IN:
            self._session = None  # it has run out, or the server was set up anew
            reply = self._asked(call, now)
        return _result(reply, now)

    def _asked(self, call: Sequence[Any], now: datetime) -> Reply:
        if self._session is None:
            self._session = self._signed_in(now)
        return self._send(call, {"Authorization": f"Session {self._session}"})

    def _signed_in(self, now: datetime) -> str:
        user, password = self._account
        reply = self._send(("common.db.login", user, {"password": password}), {})
        if reply.status == _NOT_SIGNED_IN:
            raise SendError(False, "sign_in", away=True)
        match _result(reply, now):
            case [int() as number, str() as key]:
                return base64.b64encode(f"{user}:{number}:{key}".encode()).decode()
        raise SendError(False, "sign_in", away=True)

    def _send(self, call: Sequence[Any], headers: Mapping[str, str]) -> Reply:
        method, *params = call
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        typed = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        return self._egress.send(self._url, Request("POST", typed, body))


def stamp(at: datetime) -> Row:
    """Return an aware time as Tryton writes it: UTC, member by member."""
    utc = at.astimezone(UTC)
    return {"__class__": "datetime", **{part: getattr(utc, part) for part in _PARTS}}


def moment(raw: object) -> datetime | None:
    """Read a time of Tryton's; None where there is none. Raise `SendError` for anything else."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise unreadable()
    try:
        year, month, day, hour, minute, second, rest = (raw[part] for part in _PARTS)
        return datetime(year, month, day, hour, minute, second, rest, UTC)
    except (KeyError, TypeError, ValueError):
        raise unreadable() from None


def unreadable() -> SendError:
    """Return what an answer means that is none: it was done, or was not."""
    return SendError(False, "unreadable", in_doubt=True)


def _has(row: object, fields: Sequence[str]) -> bool:
    return isinstance(row, dict) and all(field in row for field in fields) and isinstance(row["id"], int)


def _result(reply: Reply, now: datetime) -> Any:
    if reply.status != 200:
        raise refusal(reply, now)
    try:
        answer = json.loads(reply.body) if reply.whole else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise unreadable()
    if "result" in answer:
        return answer["result"]
    raise _refused(answer.get("error"))


def _refused(error: object) -> SendError:
    """Say what an error means. Its text stays there: it may tell of other records."""
    name = error[0] if isinstance(error, list) and error else None
    if name == _CHANGED:
        return SendError(False, "changed_meanwhile")
    return SendError(True, "refused_by_rules") if name in _FINAL else SendError(False, "failed_there")
