"""What was written down outside shows what the database alone can't: a cut or replaced chain."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from server.database import Database
from server.services.audit import anchor
from server.services.audit.anchor import Anchor, Compared
from server.services.audit.verifying import Fault, Found
from server.services.work import Work, system
from tests.conftest import NOON
from tests.services.audit.ledger import A_DAY, fault, happen, open_clinic, ruling, seal_all


@pytest.fixture
def river(database: Database) -> UUID:
    """A clinic with two events, not chained yet."""
    return open_clinic(database)


def grow(database: Database, clinic_id: UUID, times: int) -> Anchor:
    """Chain ``times`` further events and return the anchor of the end."""
    happen(database, clinic_id, times)
    seal_all(database, clinic_id, size=100)
    return taken(database, clinic_id)


def taken(database: Database, clinic_id: UUID, restored: bool = False) -> Anchor:
    """Return the anchor of the chain as it ends now."""
    with database.read() as session:
        found = anchor.take(Work(session, NOON, system(clinic_id)), restored)
    assert found is not None
    return found


def compared(database: Database, anchors: Sequence[Anchor]) -> Compared:
    """Hold the chain against ``anchors``, after each was written down and read."""
    read = [anchor.from_line(anchor.as_line(one)) for one in anchors]
    with database.read() as session:
        work = Work(session, NOON + A_DAY, system(anchors[0].clinic_id))
        return anchor.compare(work, read, Compared())


def chain_anew(database: Database, clinic_id: UUID, below: int) -> None:
    """Cut the chain down to ``below`` links, change what is behind it, and let us chain that."""
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > :n"), {"n": below})
        connection.execute(
            text(
                "UPDATE audit_events SET action = 'nothing' WHERE NOT EXISTS "
                "(SELECT 1 FROM audit_seals s WHERE s.event_id = audit_events.id)"
            )
        )
    seal_all(database, clinic_id, size=100)


def test_a_chain_that_only_grew_agrees_with_every_anchor(database: Database, river: UUID) -> None:
    anchors = [grow(database, river, 3) for _ in range(3)]
    assert [one.position for one in anchors] == [5, 8, 11]
    assert compared(database, anchors) == Compared(11, None)


def test_a_tail_cut_at_a_proven_end_is_only_seen_by_the_anchor(database: Database, river: UUID) -> None:
    anchors = [grow(database, river, 3), grow(database, river, 2)]
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > 5"))
        connection.execute(
            text("DELETE FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_seals)")
        )
    assert fault(database, river) is None
    assert compared(database, anchors) == Compared(5, Found(Fault.CUT, 6), NOON)


def test_a_history_that_we_were_made_to_chain_anew_is_only_seen_by_the_anchor(
    database: Database, river: UUID
) -> None:
    anchors = [grow(database, river, 3), grow(database, river, 2)]
    chain_anew(database, river, 5)
    assert fault(database, river) is None
    assert compared(database, anchors) == Compared(5, Found(Fault.REPLACED, 6), NOON)
    chain_anew(database, river, 0)
    assert compared(database, anchors) == Compared(0, Found(Fault.REPLACED, 1), NOON)


def test_a_dropped_chain_is_seen(database: Database, river: UUID) -> None:
    anchors = [grow(database, river, 3)]
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals"))
        connection.execute(text("DELETE FROM audit_events"))
    assert compared(database, anchors) == Compared(0, Found(Fault.CUT, 1), NOON)


@pytest.mark.parametrize(
    "change", [{"position": 4}, {"digest": "0" * 64}, {"proof": None}, {"restored": True}]
)
def test_an_anchor_that_is_not_from_us_is_told(
    database: Database, river: UUID, change: dict[str, object]
) -> None:
    made = replace(grow(database, river, 3), **change)
    assert compared(database, [made]) == Compared(0, Found(Fault.FORGED, made.position), NOON)


def test_a_backup_put_back_on_purpose_excuses_what_it_lost_and_nothing_before(
    database: Database, river: UUID
) -> None:
    before, lost = grow(database, river, 3), grow(database, river, 2)
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > 5"))
    restored = taken(database, river, restored=True)
    seal_all(database, river, size=100)
    after = grow(database, river, 1)
    assert compared(database, [before, lost, restored, after]) == Compared(8, None)
    wrong = replace(before, position=3)
    assert compared(database, [wrong, lost, restored, after]).found == Found(Fault.FORGED, 3)


def test_what_a_backup_lost_is_excused_also_where_it_ended_between_two_noted_ends(
    database: Database, river: UUID
) -> None:
    before = grow(database, river, 3)
    happen(database, river, 2)
    seal_all(database, river, size=100)  # that end, the backup's, nobody notes
    lost = grow(database, river, 2)
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > 7"))
        connection.execute(
            text("DELETE FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_seals)")
        )
    restored = taken(database, river, restored=True)
    assert (before.position, restored.position, lost.position) == (5, 7, 9)
    assert compared(database, [before, lost, restored]) == Compared(7, None)
    after = grow(database, river, 4)
    assert compared(database, [before, lost, restored, after]) == Compared(11, None)


@pytest.mark.parametrize("left", [0, 4, 5, 6])
def test_nothing_that_a_backup_brought_back_may_be_gone(database: Database, river: UUID, left: int) -> None:
    before = grow(database, river, 3)
    happen(database, river, 2)
    seal_all(database, river, size=100)
    restored, lost = taken(database, river, restored=True), grow(database, river, 2)
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > :n"), {"n": left})
    found = compared(database, [before, lost, restored]).found
    assert found == Found(Fault.CUT, left + 1)
    chain_anew(database, river, left)
    found = compared(database, [before, lost, restored]).found
    assert found is not None
    assert found.fault is Fault.REPLACED


def test_a_line_that_is_no_anchor_is_refused() -> None:
    for line in ("", "{}", "[]", "7", '{"at": "x"}', '{"at": 3, "clinic": 4, "position": 1}'):
        with pytest.raises(ValueError):
            anchor.from_line(line)
    made = Anchor(NOON, uuid4(), 3, "0" * 64, None)
    assert anchor.from_line(anchor.as_line(made)) == made
