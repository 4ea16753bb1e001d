"""Where a phone's copy ends: signed, bound to the patient it was given to, good for 180 days."""

from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from server.api import tokens
from server.api.edge import actor, here
from server.services.errors import Gone, OtherJournal

LASTS = timedelta(days=180)


def issue(sequence: int) -> str:
    """Return the cursor of the signed-in patient for number ``sequence`` of their change counter."""
    return _signer().dumps([str(actor().patient_id), sequence, int(here().clock().timestamp())])


def read(cursor: str | None) -> int:
    """Return the change number ``cursor`` stands for, 0 for none.

    Raises OtherJournal where it is somebody else's, Gone (`resync`) where it is not ours, or older than 180
    days by the server's clock.
    """
    if cursor is None:
        return 0
    try:
        owner, sequence, issued = _signer().loads(cursor)
    except (BadData, ValueError, TypeError):
        raise _resync() from None
    if owner != str(actor().patient_id):
        raise OtherJournal
    if here().clock() - datetime.fromtimestamp(issued, UTC) > LASTS:
        raise _resync()
    return int(sequence)


def is_of_other(cursor: object) -> bool:
    """Return whether ``cursor``, as it came, is somebody else's."""
    try:
        read(cursor if isinstance(cursor, str) else None)
    except OtherJournal:
        return True
    except Gone:
        return False
    return False


def check(after: int, reached: int) -> None:
    """Raise Gone (`resync`) for a cursor that has seen more than was ``reached``: what was it is lost here.

    An older state was put in the database's place, by a backup or a standby that was behind.
    """
    if after > reached:
        raise _resync()


def _signer() -> URLSafeSerializer:
    # It signs with the last of its keys and takes all of them: a phone keeps its cursor when the key changes.
    return URLSafeSerializer(list(reversed(tokens.keys())), salt="sync-2")


def _resync() -> Gone:
    return Gone("resync", "Start again without a cursor; what you pushed was not looked at.")
