"""The form of a backup: what was written comes back, and nothing that anybody touched does."""

import base64
import contextlib
import io

import pytest

from server.backup_file import FRAME, HEADER, BackupError, BackupReader, BackupWriter, keys_of

KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
TAG = 16


def written(text: bytes, key: str = KEY) -> bytes:
    """Return a backup of ``text``, given in odd pieces."""
    out = io.BytesIO()
    writer = BackupWriter(out, keys_of(key))
    for start in range(0, len(text), 700_001):
        writer.write(text[start : start + 700_001])
    writer.finish()
    return out.getvalue()


def read(data: bytes, key: str = KEY) -> bytes:
    """Return what a backup holds."""
    reader = BackupReader(io.BytesIO(data), keys_of(key))
    return b"".join(iter(lambda: reader.read(123_457), b""))


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 5])
def test_what_was_written_comes_back_whatever_its_size(size: int) -> None:
    text = bytes(range(256)) * (size // 256 + 1)
    assert read(written(text[:size])) == text[:size]


def test_nothing_of_the_text_or_of_another_backup_of_it_shows() -> None:
    one, two = written(b"a note of Ana's" * 9), written(b"a note of Ana's" * 9)
    assert b"Ana" not in one
    assert one[HEADER:] != two[HEADER:]


def frames(data: bytes) -> list[bytes]:
    """Return header and frames of a backup."""
    size = FRAME + TAG
    body = data[HEADER:]
    return [data[:HEADER], *(body[start : start + size] for start in range(0, len(body), size))]


def test_a_backup_that_anybody_touched_does_not_open() -> None:
    whole = written(b"x" * (3 * FRAME + 5))
    header, first, second, third, last = frames(whole)
    other = frames(written(b"x" * (3 * FRAME + 5)))
    touched = {
        "cut inside a frame": whole[:-1],
        "cut between two frames": header + first + second + third,
        "cut to its header": header,
        "frames have changed places": header + second + first + third + last,
        "a frame is missing": header + first + third + last,
        "a frame stands twice": header + first + first + second + third + last,
        "a frame of another backup": header + first + other[2] + third + last,
        "something behind its end": whole + b"x",
        "another frame behind its end": whole + last,
        "one bit": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "the salt": whole[: HEADER - 1] + b"?" + whole[HEADER:],
    }
    for what, data in touched.items():
        opened = None
        with contextlib.suppress(BackupError):
            opened = read(data)
        assert opened is None, what


def test_a_file_that_is_none_of_ours_or_of_another_key_is_told_by_name() -> None:
    for data in (b"", b"SQLite format 3", written(b"x").replace(b"\x01", b"\x02", 1)):
        with pytest.raises(BackupError, match="no backup of this version"):
            read(data)
    with pytest.raises(BackupError, match=r"made with the key [0-9a-f]{8}, which is not here"):
        read(written(b"x", OTHER))


def test_an_older_key_opens_and_the_first_one_writes() -> None:
    both = f"{KEY},{OTHER}"
    assert read(written(b"x", OTHER), both) == b"x"
    assert read(written(b"x", both), KEY) == b"x"
    assert KEY not in repr(keys_of(both))


@pytest.mark.parametrize("text", ["", "x", "YWJj", f"{KEY},", f"{KEY},YWJj"])
def test_a_key_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        keys_of(text)
