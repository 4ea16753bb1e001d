"""Patients read what is theirs, and that they did is on record before anything is answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import request

from server.api.edge import actor, here, reading, writing
from server.group_commit import GroupCommit
from server.services.work import Work, audit_line
from server.turnstile import step_aside


@contextmanager
def reading_own(action: str) -> Iterator[Work]:
    """Open the transaction in which a patient reads their own journal; leaves ``action`` on record.

    Where that would keep others waiting, or a replica is read, the line is written apart, before anything is
    answered: an embedded database has one writer.
    """
    if here().database.is_sqlite or here().replica is not None:
        with reading() as work:
            yield work
        put_on_record(action)
    else:
        with writing() as work:
            work.audit(action, work.actor.patient_id)
            yield work


def put_on_record(action: str) -> None:
    """Write down that a patient read what is theirs; it is there when this returns."""
    if here().database.is_sqlite:
        # Who waits for the disk is in nobody's way, and one way to it does for the lines of several.
        step_aside(request.environ)
        line = audit_line(actor(), here().clock(), action, actor().patient_id)
        here().own_reads.setdefault(actor().clinic_id, GroupCommit()).add(line, _write)
        return
    with writing() as work:
        work.audit(action, work.actor.patient_id)


def _write(lines: Sequence[dict[str, Any]]) -> None:
    with here().database.write() as session:
        Work(session, here().clock(), actor()).record(lines)
