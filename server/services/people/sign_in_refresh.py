"""Stay signed in: each refresh token is traded once, and whoever lost the answer may ask again at once."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from server.keys.sealing import Keyring
from server.models import RefreshToken, SignIn
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import account_notice
from server.services.people import sign_in as sign_ins
from server.services.people.secrets import fingerprint, new_secret
from server.services.people.sign_in import Issued, Life
from server.services.work import Work, system

# A phone that lost the answer asks again within seconds. A thief who comes later meets a used token.
RETRY_WITHIN = timedelta(seconds=30)
_USE = b"afterglow refresh token successor"


def refresh(session: Session, token: str, now: datetime, life: Life) -> Issued | None:
    """Trade a refresh token for its successor; asked again within 30 seconds, for the very same one.

    A token that was traded before that, or whose successor was used already, is theft or a copy: the
    whole sign-in ends, its owner is told, and None is returned (so that the caller commits that before it
    refuses). So does a sign-in that is as old as any may be, of which nobody need be told. An unknown token
    raises NotSignedIn.
    """
    row = session.get(RefreshToken, fingerprint(token))
    if row is None or row.expires_at <= now:
        raise NotSignedIn
    sign_in = session.get(SignIn, (row.clinic_id, row.sign_in_id))
    if sign_in is None or sign_in.revoked_at is not None:
        raise NotSignedIn
    account = accounts.held(Work(session, now, system(row.clinic_id)), sign_in.account_id)
    if account is None:
        raise NotSignedIn
    work = Work(session, now, sign_ins.actor_of(account, sign_in))
    if life.end(sign_in) <= now:
        sign_ins.end(work, sign_in.id, "sign-in.too-old")
        return None
    successor = _traded(work, row, token, life.unused) or _asked_again(work, row, token)
    if successor is None:
        sign_ins.end(work, sign_in.id, "sign-in.token-reused")
        account_notice.ended(work, account.id, sign_in.id)
        return None
    sign_in.last_used_at = now
    return Issued(account, sign_in.id, successor, sign_in.awaits_factor)


def forget(session: Session, now: datetime) -> int:
    """Forget tokens that ran out: they are refused like tokens that never were. Return how many."""
    gone = session.execute(
        delete(RefreshToken).where(RefreshToken.expires_at <= now).returning(RefreshToken.token_hash)
    )
    return len(gone.all())


def _traded(work: Work, row: RefreshToken, token: str, keep: timedelta) -> str | None:
    """Return a new successor, or None where the token was traded already: of many at once one wins."""
    successor = new_secret()
    won = work.session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == row.token_hash, RefreshToken.used_at.is_(None))
        .values(used_at=work.now, successor=_keyring(token).seal(successor, row.token_hash))
        .returning(RefreshToken.token_hash)
    ).first()
    if won is None:
        return None
    sign_ins.keep_token(work, successor, row.sign_in_id, keep)
    return successor


def _asked_again(work: Work, row: RefreshToken, token: str) -> str | None:
    """Return the successor of a token that was traded a moment ago and that nobody has used yet."""
    work.session.refresh(row)
    if row.used_at is None or row.successor is None or work.now - row.used_at > RETRY_WITHIN:
        return None
    successor = _keyring(token).open(row.successor, row.token_hash)
    following = work.session.get(RefreshToken, fingerprint(successor))
    return successor if following is not None and following.used_at is None else None


def _keyring(token: str) -> Keyring:
    """Return the key that only the token's holder can make."""
    return Keyring({0: hashlib.sha256(_USE + token.encode()).digest()}, 0)
