"""Private keys of a service, made for the tests, as they may be written down."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm


def pem(key: Any) -> str:
    """Return a private key as PEM without a password."""
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


P384 = ec.generate_private_key(ec.SECP384R1())
RSA, EC = pem(rsa.generate_private_key(65537, 2048)), pem(P384)
JWK = {**ECAlgorithm.to_jwk(P384, as_dict=True), "kid": "2026"}
