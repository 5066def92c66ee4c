"""What files are called, and how many go into one message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import FileRef
from dragoman_discord.attachments import MOST, REQUEST, attached, batches, described, given_name, shown_name
from dragoman_discord.simulator.cdn import cleansed

BLOB = "a" * 64


def file(name: str = "a.txt", size: int | None = 1, blob: str = BLOB) -> FileRef:
    return FileRef(id="1", name=name, size=size, blob=blob)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plan.txt", "plan.txt"),
        ('say "hi" ü 画.txt', 'say "hi" ü 画.txt'),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("folder/", "folder"),
        ("a\r\nX-Evil: 1.txt", "aX-Evil: 1.txt"),
        ("..", "file"),
        ("/", "file"),
        ("", "1"),
        ("\ud800.txt", ".txt"),
        (" \n", "file"),
    ],
)
def test_a_name_has_no_folders_and_no_control_characters(name: str, shown: str) -> None:
    ref = FileRef.model_construct(id="1", name=name, blob=BLOB)
    assert shown_name(ref) == shown


@given(st.text())
def test_whatever_it_is_called_it_has_a_name_that_can_be_sent(name: str) -> None:
    shown = shown_name(FileRef.model_construct(id="1", name=name))
    assert shown.encode()
    assert shown.isprintable() or not set(shown) & set("\r\n\0")
    assert "/" not in shown
    assert shown not in ("", ".", "..")


@given(st.lists(st.one_of(st.none(), st.integers(0, 30 * 2**20)), max_size=40))
def test_every_file_goes_once_and_no_message_has_too_much(sizes: list[int | None]) -> None:
    files = [file(f"{number}", size) for number, size in enumerate(sizes)]
    found = batches(files)
    assert [each for batch in found for each in batch] == files
    for batch in found:
        assert len(batch) <= MOST
        assert len(batch) == 1 or sum(each.size or 0 for each in batch) <= REQUEST


def test_files_without_bytes_are_not_uploaded() -> None:
    assert batches([file(blob=""), file("b")]) == ((file("b"),),)
    assert described([file("x/b")]) == [{"id": "0", "filename": "b"}]


@pytest.mark.parametrize(
    ("attachment", "name"),
    [
        ({"filename": "a.txt"}, "a.txt"),
        ({"filename": "a_b.txt", "title": 'a "b"'}, 'a "b".txt'),
        ({"filename": "unknown.png", "title": "画.PNG"}, "画.PNG"),
        ({"filename": "README", "title": "RÉADMÉ"}, "RÉADMÉ"),
        ({}, ""),
    ],
)
def test_a_title_is_what_the_file_was_called(attachment: dict[str, str], name: str) -> None:
    assert given_name(attachment) == name


@given(st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="/\\"), min_size=1, max_size=20))
def test_a_name_survives_what_discord_does_to_it(stem: str) -> None:
    name = shown_name(FileRef.model_construct(id="1", name=f"{stem}.txt"))
    filename, title = cleansed(name)
    assert given_name({"filename": filename, **({"title": title} if title else {})}) == name


def test_a_message_has_the_files_if_they_are_as_large_or_else_called_alike() -> None:
    there = [{"filename": "a_b.txt", "size": 3}]
    assert attached([file("other", 3)], there)
    assert not attached([file("a b.txt", 4)], there)
    assert attached([file("a b.txt", None)], there)
    assert not attached([file("b.txt", None)], there)
    assert not attached([], there)
    assert not attached([file(size=3), file(size=3)], there)
    assert attached([], None)
    assert attached([], "garbage")
