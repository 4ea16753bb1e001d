"""What an embedded installation keeps on its disk is for whoever runs it, also where files are made open."""

import os
import resource
import signal
import smtplib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs import erasure_list
from jobs.backup import copy_sqlite
from jobs.problem import Problem
from jobs.unfinished import whole
from server import private
from server.cli import main
from server.database import Database
from server.gateways.mailbox import EmbeddedMailbox
from server.keys.kept import kept


@pytest.fixture(autouse=True)
def open_habits() -> Iterator[None]:
    """Everybody may read what a program makes unless it says otherwise, as on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the modes of ``folder`` and of all that lies in it."""
    return {str(one): stat.S_IMODE(one.stat().st_mode) for one in (folder, *folder.rglob("*"))}


def let_in_to(folder: Path) -> list[str]:
    """Return what in ``folder`` somebody else than its owner may read or change, itself included."""
    return [name for name, mode in modes(folder).items() if mode & 0o077]


def test_what_does_not_fit_on_the_disk_leaves_no_half_a_key_and_is_named(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as raised:
            private.once(tmp_path / "master.key", "a key of many letters")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert raised.value.filename == str(tmp_path / "master.key")
    assert list(tmp_path.iterdir()) == []


def send_to(folder: Path) -> None:
    """Let an embedded mailbox in ``folder`` take one message."""
    mailbox = EmbeddedMailbox(folder)
    mailbox.start()
    try:
        port = int(mailbox.url.rpartition(":")[2])
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as sender:
            sender.sendmail("a@home.example", ["b@home.example"], "Subject: one\r\n\r\nA text.")
    finally:
        mailbox.stop()


def test_nobody_else_reads_the_embedded_database_nor_what_lies_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "new" / "var"
    done = CliRunner().invoke(main, ["migrate"], env={"AFTERGLOW_DATA_DIR": str(data)})
    assert done.exit_code == 0, done.output
    send_to(data / "mailbox")
    database = Database(f"sqlite:///{data / 'afterglow.db'}")
    with database.write():
        assert {one.name for one in data.glob("*.db*")} >= {
            "afterglow.db",
            "afterglow.db-wal",
            "afterglow.db-shm",
        }
        assert len(list((data / "mailbox" / "new").iterdir())) == 1
        assert let_in_to(data) == []
    database.close()


def test_whoever_makes_the_folder_first_makes_it_for_themselves(tmp_path: Path) -> None:
    kept(tmp_path / "keys", "a.key", lambda: "secret")
    erasure_list.append_lines(tmp_path / "lists" / "one", ["a line"])
    private.append(tmp_path / "ends" / "one", "an end\n")
    for folder in ("keys", "lists", "ends"):
        assert let_in_to(tmp_path / folder) == []


def test_a_folder_that_was_there_keeps_its_mode_and_what_is_new_in_it_is_private(tmp_path: Path) -> None:
    known = tmp_path / "known"
    (known / "new").mkdir(parents=True)
    send_to(known)
    private.file(known / "one.db")
    assert {known / "new", known} == {Path(one) for one in let_in_to(known)}
    assert modes(known)[str(known)] == 0o755


def test_the_copy_of_a_database_is_private_too(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.db")
    with database.write():
        copy_sqlite(tmp_path / "one.db", tmp_path / "copy.db")
    database.close()
    assert modes(tmp_path)[str(tmp_path / "copy.db")] == 0o600


def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "one.db").touch(0o644)
    database = Database(f"sqlite:///{tmp_path}/one.db")
    with database.write():
        assert modes(tmp_path)[str(tmp_path / "one.db")] == 0o644
    database.close()


def test_what_is_no_plain_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Problem, match="no plain file"), whole(tmp_path / "pipe", replaces=True):
        pass
    assert (tmp_path / "pipe").is_fifo()
