"""The key by which push services know us (VAPID, RFC 8292). Pure: text in, text out."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode


def read_key(private: str) -> Vapid02:
    """Read a private key, base64url of 32 bytes; ValueError where it is none."""
    return Vapid02.from_raw(private.encode())


def public_key(private: str) -> str:
    """Return what the app subscribes with (`applicationServerKey`): the point, uncompressed, in base64url."""
    point = read_key(private).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))
