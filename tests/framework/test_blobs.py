"""The bytes of files, in a folder."""

import os
import threading
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import DeliveryError
from dragoman.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "files", limit=1000)


def read(blobs: Blobs, blob: str) -> bytes:
    with blobs.open(blob) as source:
        return source.read()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 1000])
def test_what_is_put_is_there_under_the_name_of_its_bytes(blobs: Blobs, data: bytes) -> None:
    blob, size = blobs.put(data)
    assert (size, read(blobs, blob), blob in blobs) == (len(data), data, True)
    assert blobs.put(BytesIO(data))[0] == blob


@settings(max_examples=50)
@given(pieces=st.lists(st.binary(max_size=60), max_size=8))
async def test_what_comes_in_pieces_is_the_same_as_the_whole(
    pieces: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"), limit=1000)

    async def come() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    assert await blobs.keep(come()) == blobs.put(b"".join(pieces))[0]


async def test_what_breaks_off_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    async def come() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await blobs.keep(come())
    assert files(tmp_path) == []


def test_too_much_is_refused_with_the_setting_that_says_how_much(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"1,000 bytes: raise \[files\] limit") as refused:
        blobs.put(b"x" * 1001)
    assert (refused.value.code, refused.value.retry, files(tmp_path)) == ("file_too_large", False, [])


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "/etc/passwd", "a/" * 32, "0" * 64])
def test_what_is_no_blob_is_not_found(blobs: Blobs, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.open(name)


def test_what_nobody_opens_is_forgotten_and_what_is_opened_stays(blobs: Blobs, tmp_path: Path) -> None:
    old, used = blobs.put(b"old")[0], blobs.put(b"used")[0]
    unfinished = tmp_path / "files" / "new" / ".part-1"
    unfinished.write_bytes(b"half")
    for path in files(tmp_path):
        os.utime(path, (100, 100))
    assert read(blobs, used) == b"used"
    assert blobs.forget(before=1000) == 2
    assert (old in blobs, used in blobs, unfinished.exists()) == (False, True, False)


def test_a_folder_that_is_not_there_has_nothing_to_forget(tmp_path: Path) -> None:
    assert Blobs(tmp_path / "never", limit=1).forget(before=1e12) == 0
    assert not (tmp_path / "never").exists()


def test_many_may_put_the_same_at_once(blobs: Blobs, tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def put() -> None:
        start.wait()
        blobs.put(b"same")

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in files(tmp_path)] == [b"same"]
