"""The outbox: claim → send outside any transaction → record. A crash between repeats the same message."""

import logging
from datetime import datetime, timedelta
from email.utils import parseaddr

from jobs.around import Around, Incomplete
from jobs.stopwatch import Stopwatch
from server.gateways.email import Message, SendError
from server.gateways.templates import UnknownTemplate, render
from server.services import outbox
from server.services.outbox import Claimed

log = logging.getLogger(__name__)

# Longer than the longest conversation with a mail server: about ten commands of 10 s at most each.
LEASE = timedelta(minutes=2)
# A long queue goes on at the next tick; a run that never ended would look like a job that hangs.
LONGEST_RUN = timedelta(minutes=1)
# An urgent message that waits longer means that people are not reached, whatever the reason.
URGENT_LIMIT = timedelta(minutes=10)


def run(around: Around, now: datetime) -> int:
    """Send what is due, most urgent first, one at a time; return how many were taken.

    Raises `Incomplete` where an urgent message has been waiting for too long.

    A mail server that is away is asked once a run: what else waits stays in its place.
    """
    sent, watch = 0, Stopwatch(now)
    while not around.stopping.is_set() and watch.moment() < now + LONGEST_RUN:
        claimed = _claim(around, watch.moment())
        if claimed is None:
            break
        failure = _send(around, claimed, watch.moment())
        with around.database.write() as session:
            outbox.finish(session, watch.moment(), claimed, *_outcome(failure))
        if failure is not None and failure.away:
            break
        sent += failure is None
    _check_urgent(around, watch.moment())
    return sent


def _check_urgent(around: Around, moment: datetime) -> None:
    with around.database.read() as session:
        stuck = outbox.urgent_since(session, moment - URGENT_LIMIT)
    if stuck:
        raise Incomplete(f"{stuck} urgent messages wait too long")


def _claim(around: Around, moment: datetime) -> Claimed | None:
    with around.database.write() as session:
        return next(iter(outbox.claim(session, moment, 1, LEASE)), None)


def _send(around: Around, claimed: Claimed, moment: datetime) -> SendError | None:
    try:
        around.email.send(_message(around, claimed, moment))
    except SendError as failure:
        log.warning("delivery %s, try %s: %s", claimed.id, claimed.attempt, failure.reason)
        return failure
    return None


def _message(around: Around, claimed: Claimed, moment: datetime) -> Message:
    settings = around.settings
    try:
        subject, text = render(claimed.template, settings.base_url, claimed.subject_id)
    except UnknownTemplate:
        raise SendError(True, "unknown_template") from None
    host = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    # The same id at every try: a receiver that got it already can drop the repeat.
    return Message(claimed.address, subject, text, f"<{claimed.id}@{host}>", moment)


def _outcome(failure: SendError | None) -> tuple[str | None, bool]:
    return (None, False) if failure is None else (failure.reason, failure.permanent)
