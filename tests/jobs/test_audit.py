"""The audit log's jobs and commands: it is chained, noted outside, verified, and what is wrong is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from uuid_utils.compat import uuid7

from jobs import anchor_file, audit_anchor, audit_seal, audit_verify, tidy
from jobs.around import Around, Incomplete
from jobs.problem import Problem
from server.isolation import Extent
from server.models import AuditEvent, AuditSeal, ClinicDigestKey, Delivery
from server.services.audit.anchor import Anchor
from server.services.audit.verifying import Fault
from server.services.messages import operations
from server.settings import Settings
from tests.conftest import NOON
from tests.one_shot import Run, runner
from tests.services.audit.ledger import A_DAY, an_event, event_at, happen, open_clinic, put_in, ruling
from tests.test_statements import sent


@pytest.fixture
def river(around: Around) -> UUID:
    """A clinic, and operations that can be told."""
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, NOON, "ops@example.org")
    return open_clinic(around.database)


@pytest.fixture
def run(settings: Settings, around: Around, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `afterglow` on the test's database."""
    return runner(settings, monkeypatch)


def pages(around: Around) -> int:
    with around.database.read() as session:
        return len(session.scalars(select(Delivery).where(Delivery.template == "audit_broken")).all())


def tamper(around: Around, clinic_id: UUID) -> None:
    with ruling(around.database) as connection:
        where = {"c": clinic_id if not around.database.is_sqlite else clinic_id.hex}
        deed = "UPDATE audit_events SET object_id = 'x' WHERE clinic_id = :c AND action = 'patient.read'"
        connection.execute(text(deed), where)


def test_the_log_of_every_clinic_and_of_operations_is_chained_noted_and_holds(
    around: Around, river: UUID
) -> None:
    happen(around.database, river, 3)
    assert audit_seal.run(around, NOON) == 5 + 2  # two that opened the clinic of operations
    assert audit_seal.run(around, NOON) == 0
    assert audit_anchor.run(around, NOON) == 2
    assert audit_anchor.run(around, NOON) == 0, "a chain that has not grown is not noted again"
    happen(around.database, river)
    audit_seal.run(around, NOON)
    assert audit_anchor.run(around, NOON) == 1
    assert audit_verify.run(around, NOON) == 2
    assert pages(around) == 0


def test_what_was_changed_pages_operations_once_a_day(
    around: Around, river: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    happen(around.database, river)
    audit_seal.run(around, NOON)
    tamper(around, river)
    assert audit_verify.run(around, NOON) == 1
    audit_verify.run(around, NOON)
    assert pages(around) == 1
    assert f"clinic {river} does not hold: changed at position 3, event " in caplog.text
    audit_verify.run(around, NOON + A_DAY)
    assert pages(around) == 2


def test_a_clinic_that_is_gone_altogether_is_told(around: Around, river: UUID) -> None:
    anchor_file.append(around.settings.anchor_file, [Anchor(NOON, uuid7(), 7, "0" * 64, None)])
    assert audit_verify.run(around, NOON) == 2
    assert pages(around) == 1


def test_a_runner_that_is_to_stop_leaves_the_rest_for_the_next_day(around: Around, river: UUID) -> None:
    audit_seal.run(around, NOON)
    around.stopping.set()
    assert audit_verify.run(around, NOON) == 1
    around.stopping.clear()
    assert audit_verify.run(around, NOON + A_DAY) == 2


def test_tidying_leaves_the_audit_log_alone(around: Around, river: UUID) -> None:
    def rows() -> int:
        with around.database.read() as session:
            return len(
                session.scalars(select(AuditEvent.id)).all()
                + session.scalars(select(AuditSeal.event_id)).all()
            )

    audit_seal.run(around, NOON)
    before = rows()
    tidy.run(around, NOON + 4000 * A_DAY)
    assert rows() == before


def test_an_anchor_file_is_added_to_and_a_line_that_a_crash_left_open_is_closed(tmp_path: Path) -> None:
    file, made = (
        tmp_path / "new" / "anchors",
        [Anchor(NOON, UUID(int=n % 2), n, "0" * 64, None) for n in range(1, 1204)],
    )
    anchor_file.append(file, made[:1])
    anchor_file.append(file, made[1:])
    assert file.stat().st_mode & 0o777 == 0o600
    read = [(clinic, [one.position for one in some]) for clinic, some in anchor_file.batches(file)]
    assert max(len(some) for _, some in read) == anchor_file.AT_ONCE
    for odd in (0, 1):
        assert [n for clinic, some in read if clinic.int == odd for n in some] == list(
            range(2 - odd, 1204, 2)
        )
    with file.open("a") as torn:
        torn.write('{"at": "2026')
    anchor_file.append(file, made[:1])
    with pytest.raises(Problem, match="line 1204"):
        list(anchor_file.batches(file))


def test_verify_says_which_clinic_holds_and_exits_with_1_where_one_does_not(
    around: Around, river: UUID, run: Run, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    happen(around.database, river, 2)
    audit_seal.run(around, now)
    assert (
        run("audit", "verify", "--clinic", "river").stdout
        == "river: holds, 4 events, nothing noted outside\n"
    )
    kept = tmp_path / "kept.jsonl"
    kept.write_text(run("audit", "anchor").stdout)
    happen(around.database, river)
    said = run("audit", "verify", "--anchor", kept)
    assert (said.exit_code, len(said.stdout.splitlines())) == (0, 2)
    assert "river: holds, 4 events, noted outside up to 4, 1 not sealed yet" in said.stdout
    tamper(around, river)
    said = run("audit", "verify", "--anchor", kept)
    assert said.exit_code == 1
    assert "river: DOES NOT HOLD: changed at position 3, event " in said.stdout
    assert "operations: holds" in said.stdout
    assert "There is no clinic hill" in run("audit", "verify", "--clinic", "hill").stderr


def test_an_anchor_file_that_can_not_be_written_is_a_failure_of_the_job(around: Around, river: UUID) -> None:
    blocked = around.settings.data_dir / "blocked"
    blocked.write_text("a file, no folder")
    audit_seal.run(around, NOON)
    elsewhere = replace(around, settings=replace(around.settings, audit_anchor=str(blocked / "anchors")))
    with pytest.raises(Exception, match="not for every clinic"):
        audit_anchor.run(elsewhere, NOON)


def test_where_nothing_can_be_noted_what_was_changed_is_told_all_the_same(
    around: Around, river: UUID
) -> None:
    ids = sorted([river, *(open_clinic(around.database, slug) for slug in ("hill", "lake"))])
    for clinic_id in ids:
        happen(around.database, clinic_id, 3)
    audit_seal.run(around, NOON)
    tamper(around, ids[-1])
    nowhere = str(around.settings.data_dir / "gone" / "anchors")
    (around.settings.data_dir / "gone").symlink_to(around.settings.data_dir / "a share" / "not there")
    elsewhere = replace(around, settings=replace(around.settings, audit_anchor=nowhere))
    with pytest.raises(Incomplete, match=r"could not be noted: \w+Error$"):
        audit_verify.run(elsewhere, NOON)
    assert pages(around) == 1


def test_what_was_committed_minutes_late_is_chained_before_the_end_is_noted(
    around: Around, river: UUID
) -> None:
    now = datetime.now(UTC)
    late = an_event(river, now - timedelta(minutes=20))
    audit_seal.run(around, now)
    put_in(around.database, late)
    assert audit_seal.run(around, now) == 0
    audit_anchor.run(around, now)
    assert event_at(around.database, river, 3) == late["id"]
    assert audit_verify.run(around, now) == 2


def test_however_many_clinics_are_quiet_a_look_asks_no_more_and_chains_what_the_one_has_got(
    app: Flask, around: Around, river: UUID
) -> None:
    now = datetime.now(UTC)
    audit_seal.run(around, now)
    later = now + timedelta(minutes=2)
    few = len(sent(app, lambda: audit_seal.run(around, later)))
    for number in range(5):
        open_clinic(around.database, f"quiet-{number}")
    assert audit_seal.run(around, now) == 5 * 2
    assert len(sent(app, lambda: audit_seal.run(around, later))) == few
    happen(around.database, river)
    assert audit_seal.run(around, later) == 1


def test_what_was_committed_after_a_younger_event_is_chained_by_the_next_look(
    around: Around, river: UUID
) -> None:
    now = datetime.now(UTC)
    early = an_event(river, now - timedelta(seconds=20))
    happen(around.database, river)
    audit_seal.run(around, now)
    put_in(around.database, early)
    assert audit_seal.run(around, now + timedelta(seconds=10)) == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_clinic_whose_key_does_not_open_is_told_and_keeps_no_other_from_being_verified(
    around: Around, river: UUID, first: bool
) -> None:
    """Whoever changes one log would only have to spoil the key of another clinic."""
    hill = open_clinic(around.database, "hill")
    bad, changed = sorted((river, hill), reverse=first)
    happen(around.database, changed, 3)
    for job in (audit_seal, audit_anchor, audit_verify):
        assert job.run(around, NOON) > 0
    with around.database.write(Extent.ALL) as session:
        session.get_one(ClinicDigestKey, (bad, "content")).wrapped = b"x" * 60
        session.info["clinic_keyrings"].clear()
    tamper(around, changed)
    assert audit_verify.run(around, NOON + A_DAY) == 1, "of operations"
    assert pages(around) == 2, "one for each"
    verdicts = audit_verify.verify(around.database, NOON, [around.settings.anchor_file])
    found = {one.clinic_id: one.found for one in verdicts if one.found}
    assert {clinic: one.fault for clinic, one in found.items()} == {
        bad: Fault.UNPROVEN,
        changed: Fault.CHANGED,
    }
    assert "key does not open" in audit_verify.told(found[bad])


def test_a_line_of_the_noted_ends_that_can_not_be_read_pages_operations_the_same_day(
    around: Around, river: UUID
) -> None:
    """Nothing is verified any more until it is taken out: a job counts as late only after three days."""
    for job in (audit_seal, audit_anchor, audit_verify):
        job.run(around, NOON)
    with around.settings.anchor_file.open("a", encoding="utf-8") as file:
        file.write("no end of a chain\n")
    for _ in range(2):
        with pytest.raises(Problem, match="not the end of an audit chain"):
            audit_verify.run(around, NOON + A_DAY)
    assert pages(around) == 1
