"""Whatever is switched off says why; whatever is used is pinned."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from house.rooms import HOUSE, PROJECT, ROOMS, names

TEXT = (HOUSE / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("start", ["\nignore = [", '\n"tests/**" = [', '\n"examples/**" = ['])
def test_every_ignored_rule_says_why(start: str) -> None:
    _, found, rest = TEXT.partition(start)
    assert found
    first, _, more = rest.partition("\n")
    # On one line, with the reason at its end; or a line for each, up to the bracket.
    lines = [first] if first.strip() else more.partition("\n]")[0].splitlines()
    assert [line for line in lines if not re.search(r"#\s*\w.{10,}", line)] == []


def test_every_mypy_override_says_why() -> None:
    sections = TEXT.split("[[tool.mypy.overrides]]\n")[1:]
    assert len(sections) == len(PROJECT["tool"]["mypy"]["overrides"])
    for section in sections:
        assert re.match(r"#\s*\w.{10,}", section), f"say why, in the first line: {section[:80]}"


def test_mypy_is_strict_everywhere() -> None:
    mypy = PROJECT["tool"]["mypy"]
    assert mypy["strict"] is True
    assert set(mypy["files"]) == {*ROOMS, "tests", "examples"}
    for override in mypy["overrides"]:
        assert set(override) <= {"module", "ignore_missing_imports", "follow_imports"}  # it is other people's code only
        assert not [name for name in override["module"] if name.partition(".")[0] in names()]


def test_every_requirement_is_pinned() -> None:
    pinned = {
        canonicalize_name(line.partition("==")[0]): line.partition("==")[2]
        for line in (HOUSE / "constraints.txt").read_text(encoding="utf-8").split()
    }
    project = PROJECT["project"]
    wanted = [
        *PROJECT["build-system"]["requires"],
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            continue
        assert canonicalize_name(requirement.name) in pinned, requirement
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)], prereleases=True), (
            requirement
        )
