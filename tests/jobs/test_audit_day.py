"""A day verifies what is new and a part of what is old; what was changed is found within a round."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from jobs import anchor_file, audit_noted, audit_verify
from jobs.around import Around
from jobs.audit_day import Day, Judged
from server.database import Database
from server.models import ClinicKey
from server.services.audit import anchor
from server.services.audit import audit_seal as seals
from server.services.audit.anchor import Anchor
from server.services.audit.turn import Pace
from server.services.audit.verifying import Fault, Found
from server.services.work import Work, system
from server.settings import Settings
from tests.conftest import NOON
from tests.one_shot import runner
from tests.services.audit.ledger import (
    A_DAY,
    an_event,
    event_at,
    happen,
    open_clinic,
    put_in,
    ruling,
    seal_all,
)

# A small log goes round as a large one does: three days, three lines at a time, the newest two every day.
PACE = Pace(days=3, block=3, again=2)
LINES = 32
Verdict = Callable[[int], Judged]


@pytest.fixture
def river(database: Database) -> UUID:
    """A clinic whose log has a past, all of it chained."""
    clinic_id = open_clinic(database)
    happen(database, clinic_id, LINES - 2)
    assert seal_all(database, clinic_id, size=5) == LINES
    return clinic_id


@pytest.fixture
def on(database: Database, river: UUID, file: Path) -> Verdict:
    """Verify what the day so many days on has to, as the job does, and note it where it holds."""

    def verdict(days: int) -> Judged:
        day = Day(database, NOON + days * A_DAY, file, PACE)
        (found,) = day.judge({river})
        if found.found is None:
            day.note(found)
        return found

    return verdict


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where ends are noted."""
    return tmp_path / "anchors"


def change(database: Database, event_id: UUID) -> None:
    """Change an event, past all guards."""
    with ruling(database) as connection:
        mine = event_id if not database.is_sqlite else event_id.hex
        done = connection.execute(
            text("UPDATE audit_events SET action = 'nothing' WHERE id = :id"), {"id": mine}
        )
        assert done.rowcount == 1


def rule(database: Database, statement: str, **values: object) -> None:
    """Run a statement past all guards."""
    with ruling(database) as connection:
        assert connection.execute(text(statement), values).rowcount > 0


def checkpoint_of(database: Database, clinic_id: UUID) -> Anchor:
    """Return what notes that a chain was verified up to its end at noon."""
    with database.read() as session:
        work = Work(session, NOON, system(clinic_id))
        return anchor.checkpoint(work, seals.head(work))


def end_of(database: Database, clinic_id: UUID, restored: bool = False) -> Anchor:
    """Return where a chain ends, as it is noted."""
    with database.read() as session:
        end = anchor.take(Work(session, NOON, system(clinic_id)), restored)
    assert end is not None
    return end


def lines_of(file: Path) -> list[Anchor]:
    """Return what is noted."""
    return [one for _, some in anchor_file.batches(file) for one in some]


def test_the_first_day_walks_everything_and_the_next_one_goes_on_from_there(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    first = on(0)
    assert (first.lines, first.found) == (LINES, None)
    (noted,) = lines_of(file)
    assert (noted.position, noted.clinic_id) == (LINES, river)
    assert noted.verified
    happen(database, river, 4)
    seal_all(database, river)
    next_day = on(1)
    assert next_day.found is None
    assert next_day.walk.end.position == LINES + 4
    assert next_day.walk.lines == 4 + PACE.again
    assert lines_of(file)[-1].position == LINES + 4


def test_a_change_of_what_is_new_is_found_the_same_day(database: Database, river: UUID, on: Verdict) -> None:
    on(0)
    happen(database, river, 9)
    seal_all(database, river)
    event = event_at(database, river, LINES + 5)
    change(database, event)
    assert on(1).found == Found(Fault.CHANGED, LINES + 5, event)


@pytest.mark.parametrize("position", [1, 3, 4, 15, 29, 30, 31, 32])
def test_a_change_of_what_is_old_is_found_within_a_round_and_from_then_on_every_day(
    database: Database, river: UUID, on: Verdict, position: int
) -> None:
    on(0)
    event = event_at(database, river, position)
    change(database, event)
    wanted = Found(Fault.CHANGED, position, event)
    found = [on(day).found for day in range(1, PACE.days + 1)]
    first = found.index(wanted)
    assert found[:first] == [None] * first
    assert [*found[first:], on(9).found] == [wanted] * (PACE.days + 1 - first)
    if position > LINES - PACE.again:
        assert first == 0, "the newest of the old are walked every day"


def test_rows_that_are_gone_at_the_edge_of_a_stretch_are_found_within_a_round(
    database: Database, river: UUID, on: Verdict
) -> None:
    on(0)
    rule(database, "DELETE FROM audit_seals WHERE position IN (5, 6)")
    assert [on(day).found for day in range(1, PACE.days + 1)][-1] == Found(Fault.MISSING, 5)


def test_days_that_were_missed_are_made_up_for(database: Database, river: UUID, on: Verdict) -> None:
    on(0)
    assert on(PACE.days + 4).lines >= LINES
    change(database, event_at(database, river, 4))
    assert on(3 * PACE.days + 4).found is not None


def test_a_day_costs_what_is_new_and_a_part_of_the_rest(database: Database, river: UUID, on: Verdict) -> None:
    walked = {}
    for size, day in ((LINES, 1), (3 * LINES, 5)):
        happen(database, river, size - on(day - 1).walk.end.position)
        seal_all(database, river)
        on(day)
        happen(database, river, 2)
        seal_all(database, river)
        walked[size] = on(day + 1)
        most = 2 + PACE.again + size // PACE.days + PACE.block
        assert walked[size].lines <= most
    assert {one.walk.lines for one in walked.values()} == {2 + PACE.again}


def test_a_proof_that_is_gone_from_the_end_is_found_the_same_day(
    database: Database, river: UUID, on: Verdict
) -> None:
    on(0)
    rule(database, "UPDATE audit_seals SET proof = NULL WHERE position = :n", n=LINES)
    assert on(1).found == Found(Fault.CUT, LINES + 1)


def test_an_end_that_was_cut_off_is_found_the_same_day(database: Database, river: UUID, on: Verdict) -> None:
    on(0)
    rule(database, "DELETE FROM audit_seals WHERE position > 30")
    assert on(1).found == Found(Fault.CUT, 31)


def test_a_log_that_was_rewritten_up_to_its_end_is_found_the_same_day(
    database: Database, river: UUID, on: Verdict
) -> None:
    on(0)
    rule(database, "DELETE FROM audit_seals")
    rule(database, "UPDATE audit_events SET action = 'nothing'")
    seal_all(database, river)  # as whoever has made us chain it anew: it is proven by us
    found = on(1)
    assert found.found == Found(Fault.REPLACED, 1)
    assert found.lines == LINES, "a checkpoint that is none any more is no reason to walk less"


@pytest.mark.parametrize(
    "forged", [{"position": LINES + 3}, {"digest": "0" * 64}, {"verified": "0" * 64}, {"at": NOON + A_DAY}]
)
def test_a_checkpoint_that_is_not_from_us_is_told_and_everything_is_walked(
    database: Database, river: UUID, on: Verdict, file: Path, forged: dict[str, object]
) -> None:
    on(0)
    happen(database, river, 3)
    seal_all(database, river)
    (ours,) = lines_of(file)
    anchor_file.append(file, [replace(ours, **forged)])
    found = on(2)
    assert found.lines == LINES + 3
    assert found.found is not None
    assert found.found.fault is Fault.FORGED


def test_an_end_of_ours_passes_for_no_checkpoint(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    end = end_of(database, river)
    anchor_file.append(file, [replace(end, verified=end.proof)])
    assert on(1).found == Found(Fault.FORGED, LINES)


def test_an_end_of_ours_with_an_empty_mark_is_an_end(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    on(0)
    happen(database, river, 5)
    seal_all(database, river)
    with file.open("a") as lines:
        lines.write(anchor.as_line(end_of(database, river))[:-1] + ', "verified": null}\n')
    assert on(1).walk.lines == 5 + PACE.again


def test_an_older_checkpoint_put_in_again_only_makes_us_walk_more(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    on(0)
    happen(database, river, 6)
    seal_all(database, river)
    on(1)
    anchor_file.append(file, lines_of(file)[:1])
    again = on(2)
    assert again.found is None
    assert again.walk.lines == 6 + PACE.again


def test_a_file_that_is_gone_makes_us_walk_everything(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    on(0)
    file.unlink()
    found = on(1)
    assert (found.lines, found.found) == (LINES, None)


def test_after_a_backup_was_put_back_everything_is_walked(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    on(0)
    end = end_of(database, river, restored=True)
    anchor_file.append(file, [end])
    assert (on(1).lines, on(2).walk.lines) == (LINES, PACE.again)


@pytest.fixture
def hill(database: Database) -> UUID:
    """A clinic whose log has a line of each of the last days."""
    clinic_id = open_clinic(database, "hill")
    for age in range(20, -1, -1):
        put_in(database, an_event(clinic_id, NOON - age * A_DAY))
    assert seal_all(database, clinic_id) == 23
    return clinic_id


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(hours=30), 4 * A_DAY, 15 * A_DAY, 400 * A_DAY])
def test_a_row_put_in_with_an_old_date_is_found_within_a_round(
    database: Database, hill: UUID, file: Path, age: timedelta
) -> None:
    def verdict(days: int) -> Judged:
        (found,) = Day(database, NOON + days * A_DAY, file, PACE).judge({hill})
        return found

    anchor_file.append(file, [checkpoint_of(database, hill)])
    strange = an_event(hill, NOON - age)
    put_in(database, strange)
    found = [verdict(day).found for day in range(1, PACE.days + 1)]
    assert Found(Fault.INSERTED, None, strange["id"]) in found
    if not A_DAY < age < 20 * A_DAY:
        assert found[0] is not None, "what is dated of the last day, or before everything, is found at once"


def test_a_clinic_that_is_gone_altogether_is_told_every_day(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    gone = uuid7()
    checkpoint = Anchor(NOON, gone, 7, "0" * 64, None, verified="")
    anchor_file.append(file, [replace(checkpoint, position=5, verified=None), checkpoint])
    for days in (0, 1, 2):
        told = {
            one.clinic_id: one.found for one in Day(database, NOON + days * A_DAY, file, PACE).judge({river})
        }
        assert told == {river: None, gone: Found(Fault.CUT, 1)}


def test_an_end_noted_long_ago_is_held_against_the_chain_within_a_round(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    end = end_of(database, river)
    anchor_file.append(file, [end] * 4 + [replace(end, digest="0" * 64)] + [end] * 4)
    (wrong,) = [number for number, one in enumerate(lines_of(file)) if one.digest != end.digest]
    anchor_file.append(file, [checkpoint_of(database, river)])
    assert wrong == 4
    found = [on(day).found for day in range(1, PACE.days + 1)]
    assert Found(Fault.FORGED, LINES) in found


def test_only_a_part_of_what_was_noted_long_ago_is_taken_apart(
    database: Database, river: UUID, on: Verdict, file: Path
) -> None:
    anchor_file.append(file, [end_of(database, river)] * 300 + [checkpoint_of(database, river)])
    noted = audit_noted.look(file)
    due = partial(audit_noted.is_due, noted, PACE, NOON + A_DAY)
    read = sum(len(some) for _, some in anchor_file.batches(file, due))
    assert abs(read - 300 / PACE.days) <= PACE.block + 1
    assert on(1).found is None


def test_a_clinic_whose_keys_were_destroyed_goes_on_from_a_checkpoint_without_a_proof(
    database: Database, river: UUID, on: Verdict
) -> None:
    with database.write() as session:
        session.query(ClinicKey).delete()
        session.info["clinic_keyrings"].clear()
    assert on(0).lines == LINES
    later = on(1)
    assert (later.walk.lines, later.found) == (PACE.again, None)
    change(database, event_at(database, river, 4))
    assert any(on(day).found for day in range(2, 2 + PACE.days))


def test_the_command_walks_everything_whatever_was_verified_before(
    around: Around, river: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit_verify.run(around, NOON) == 1
    change(around.database, event_at(around.database, river, 4))
    (found,) = audit_verify.verify(around.database, NOON, [around.settings.anchor_file])
    assert (found.position, found.anchored) == (LINES, LINES)
    said = runner(settings, monkeypatch)("audit", "verify")
    assert said.exit_code == 1
    assert "river: DOES NOT HOLD: changed at position 4, event " in said.stdout
    noted = len(lines_of(around.settings.anchor_file))
    assert noted == 1, "the command notes nothing"
