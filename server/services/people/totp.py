"""Authenticator codes (TOTP, RFC 6238): six digits that change every thirty seconds, each good once."""

from datetime import datetime

from pyotp import TOTP, random_base32
from pyotp.utils import strings_equal
from sqlalchemy import or_, update

from server.models import Factor
from server.services.work import Work

ISSUER = "Afterglow"
# A telephone's clock may be one step (30 seconds) off.
_DRIFT = (-1, 0, 1)


def new_secret() -> str:
    """Return a new secret of 160 random bits, base32."""
    return random_base32()


def address(secret: str, email: str, clinic: str) -> str:
    """Return the address that an authenticator app reads from a QR code."""
    return TOTP(secret, name=email, issuer=f"{ISSUER} {clinic}").provisioning_uri()


def fits(work: Work, factor: Factor, code: str) -> bool:
    """Return whether ``code`` is one of now, and use it up: none is taken twice, nor one before it.

    None of a factor that was taken away since it was looked up either.
    """
    totp = TOTP(factor.secret)
    now = _step(totp, work.now)
    steps = (now + drift for drift in _DRIFT)
    step = next((step for step in steps if strings_equal(totp.generate_otp(step), code)), None)
    return step is not None and _is_first(work, factor, step)


def code_at(secret: str, now: datetime) -> str:
    """Return the code of ``now``."""
    return TOTP(secret).at(now)


def _step(totp: TOTP, now: datetime) -> int:
    return int(now.timestamp()) // totp.interval


def _is_first(work: Work, factor: Factor, step: int) -> bool:
    won = work.session.execute(
        update(Factor)
        .where(
            Factor.clinic_id == work.clinic_id,
            Factor.id == factor.id,
            Factor.retired_at.is_(None),
            or_(Factor.last_step.is_(None), Factor.last_step < step),
        )
        .values(last_step=step, last_used_at=work.now)
        .returning(Factor.id)
    ).first()
    return won is not None
