"""SMS through an HTTP gateway that speaks as Kannel's `sendsms` does, by POST with `X-Kannel-…` headers.

Its other form, GET, would write numbers and the password into addresses, and so into logs.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from server.gateways.exchange import Exchange, Limits, Reply, Resolve, Target, refusal, resolve
from server.gateways.message import Handed, Message, Receipt, SendError
from server.sms_report import REPORTS_WANTED, report_address

_PORTS = {"http": 80, "https": 443}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# 3GPP TS 23.038: what a 7-bit message can hold. One other letter makes it UCS-2, with 70 instead of 160.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
LONGEST_GSM, LONGEST_UCS2 = 160, 70  # letters of one SMS
_SEVEN_BIT, _UCS2 = "0", "2"
_LONGEST_KEPT = timedelta(days=2)
_UNAUTHORIZED, _FORBIDDEN = 401, 403
# The message itself is what it does not take; anything else may pass. Kannel answers 403 to a wrong password
# and of a number that it has no way to ("Not routable. Do not try again.").
_PERMANENT = frozenset({400, _FORBIDDEN, 413})


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the gateway reports what became of a message: our own address, and the key of the proof."""

    base_url: str
    key: bytes


def is_gsm(text: str) -> bool:
    """Return whether ``text`` fits the 7-bit alphabet."""
    return set(text) <= _GSM


def fits_one_sms(text: str) -> bool:
    """Return whether ``text`` goes out as a single SMS: many gateways cut off what is longer."""
    return len(text) <= (LONGEST_GSM if is_gsm(text) else LONGEST_UCS2)


class SmsGateway:
    """Hands a message's short form to one gateway, `http(s)://user:password@host:port/cgi-bin/sendsms`.

    Accepted means no more than that it took the message; its report says whether the phone got it.
    ValueError where ``url`` or ``sender`` can't be used; its text repeats neither.
    """

    channel = "sms"

    def __init__(
        self,
        url: str,
        sender: str,
        reports: Reports,
        limits: Limits | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the SMS gateway's address must look like https://user:password@host/path")
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port, self._path = parts.port or _PORTS[parts.scheme], parts.path or "/"
        self._fixed = {
            "X-Kannel-Username": unquote(parts.username or ""),
            "X-Kannel-Password": unquote(parts.password or ""),
            "X-Kannel-From": sender,
        }
        written = (*self._fixed.values(), reports.base_url)
        if not sender or not all(re.fullmatch(r"[ -~]*", text) for text in written):
            raise ValueError("the SMS gateway's user, password and sender must be plain ASCII")
        self._reports, self._resolve = reports, resolver
        self._exchange = Exchange(limits or Limits())

    def lane(self, to: str) -> str:
        """Name our own gateway: it takes every message, whoever it is for."""
        return self._host

    def send(self, message: Message) -> Receipt:
        """Hand it over. The gateway holds it as long as the phone is off."""
        if not _E164.fullmatch(message.to):
            raise SendError(True, "address")
        end = self._exchange.deadline()
        addresses = self._resolve(self._host, self._port)
        target = Target(self._scheme, self._host, self._port, self._path, addresses)
        reply = self._posted(target, message, end)
        if _is_not_signed_in(reply):
            raise SendError(False, "sign_in", away=True)
        if not 200 <= reply.status <= 299:
            raise refusal(reply, message.at, permanent=_PERMANENT)
        return Receipt(Handed.ACCEPTED, reports=True)

    def _posted(self, target: Target, message: Message, end: float) -> Reply:
        try:
            return self._exchange.post(target, self._headers(message), message.short.encode(), end)
        except SendError as failure:
            # It took the message and said nothing: that may be the number, which it looks up somewhere else.
            # The next message shows, and must not wait for this one.
            failure.away = failure.away and not failure.in_doubt
            raise

    def _headers(self, message: Message) -> dict[str, str]:
        return (
            self._fixed
            | _validity(message)
            | {
                "X-Kannel-To": message.to,
                "X-Kannel-Coding": _SEVEN_BIT if is_gsm(message.short) else _UCS2,
                "X-Kannel-BInfo": str(message.id),
                "X-Kannel-DLR-Mask": str(REPORTS_WANTED),
                "X-Kannel-DLR-URL": report_address(self._reports.base_url, self._reports.key, message.id),
                "Content-Type": "text/plain; charset=UTF-8",
            }
        )


def _validity(message: Message) -> dict[str, str]:
    """Return for how many minutes the centre may try, where it is not for as long as it does by itself."""
    if message.expires_at is None:
        return {}
    return {"X-Kannel-Validity": str(max(message.keeps(_LONGEST_KEPT) // timedelta(minutes=1), 1))}


def _is_not_signed_in(reply: Reply) -> bool:
    """Say whether it is us whom the gateway does not know, whoever the message is for."""
    says_so = b"authori" in reply.body.lower()
    return reply.status == _UNAUTHORIZED or (reply.status == _FORBIDDEN and says_so)
