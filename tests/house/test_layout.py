"""Where things are, and how large they may grow."""

import re
from pathlib import Path
from typing import Final

import pytest

from house.rooms import HOUSE, PACKAGES, ROOMS, sources

LIMIT: Final = 350

#: Files that may be longer, and why. One that is no longer too long has to leave.
LONGER: Final = {
    "framework/dragoman/store/ledger.py": "every write of the ledger on one page, with its reasons",
    "tests/framework/store/test_ledger.py": "one test for each step that an event, a run and an action can take",
    "tests/adapters/slack/test_adapter.py": "one test for each thing that Slack may answer",
}

#: Names that say nothing about what is inside.
NAMELESS: Final = {"util", "utils", "core", "base", "common", "helper", "helpers", "manager", "managers", "misc"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_no_package(room: str) -> None:
    assert not list((HOUSE / room).glob("*.py"))


def test_every_package_is_in_the_wheel_and_exists() -> None:
    there = {
        str(folder.relative_to(HOUSE))
        for room in ROOMS
        for folder in (HOUSE / room).iterdir()
        if folder.is_dir() and list(folder.glob("*.py"))
    }
    assert there == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (HOUSE / package / "__init__.py").is_file()
    assert (HOUSE / package / "py.typed").is_file()


@pytest.mark.parametrize("package", [package for package in PACKAGES if package.startswith("adapters/")])
def test_every_adapter_has_the_same_anatomy(package: str) -> None:
    for name in ("normalise.py", "render.py", "adapter.py"):
        assert (HOUSE / package / name).is_file(), f"{package} has no {name}"


def test_files_are_short() -> None:
    lengths = {
        str(file): len((HOUSE / file).read_text(encoding="utf-8").splitlines())
        for file in sources(*ROOMS, "tests", "examples")
    }
    long = {name: length for name, length in lengths.items() if length > LIMIT}
    assert {name: length for name, length in long.items() if name not in LONGER} == {}, "split them, or say why not"
    assert LONGER.keys() - long.keys() == set(), "these are short enough now: take them out of LONGER"
    assert all(LONGER.values()), "say why"


def test_names_say_what_is_inside() -> None:
    assert [
        file for file in sources(*ROOMS, "tests", "examples") if {part.lower() for part in _words(file)} & NAMELESS
    ] == []


@pytest.mark.parametrize("pattern", [r"/(home|root|Users|work)/\w", r"xox[a-z]-\d+-\w", r"xapp-\d-\w"])
def test_nothing_is_of_one_machine_or_one_account(pattern: str) -> None:
    pages = [
        file.relative_to(HOUSE)
        for glob in ("*.md", "*.toml", "*.txt", "Makefile", ".ci/*")
        for file in HOUSE.glob(glob)
    ]
    for file in [*sources(*ROOMS, "tests", "examples"), *pages]:
        text = (HOUSE / file).read_text(encoding="utf-8")
        assert not re.search(pattern, text), file


def _words(file: Path) -> list[str]:
    return [*file.parts[:-1], *file.stem.removeprefix("test_").split(".")]
