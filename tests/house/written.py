"""The files of the pages in docs/, written down and run. How a page is read: see `house.test_docs`."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from house.pages import read_blocks
from house.rooms import HOUSE

__all__ = ["DOCS", "PAGES", "own_tests", "pretend_to_install", "write_files"]

DOCS: Final = HOUSE / "docs"
PAGES: Final = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}


def write_files(page: str, place: Callable[[str], Path]) -> None:
    """Write the files of a page down."""
    for block in read_blocks(page):
        if not block.file:
            continue
        file = place(block.file)
        file.parent.mkdir(parents=True, exist_ok=True)
        if block.how == "in part" and file.exists():
            assert block.body in file.read_text(encoding="utf-8"), block.file
        elif block.how == "goes on":
            with file.open("a", encoding="utf-8") as out:
                out.write(f"\n{block.body}")
        else:
            file.write_text(block.body, encoding="utf-8")


def pretend_to_install(project: Path, site: Path) -> None:
    """What ``pip install -e`` leaves: the metadata, and the way to the code. (The real thing: tests/examples.)"""
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{told['name'].replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: 1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in told["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    for package in project.glob("dragoman_*"):
        if site != project:
            (site / package.name).symlink_to(package)


def own_tests(pytester: pytest.Pytester, project: Path) -> int:
    """Run the project's own tests, as its author would; how many have passed. A warning fails, and so does a skip."""
    quiet = [f"-pno:{plugin}" for plugin in ("cacheprovider", "asyncio", "anyio", "timeout")]
    done = pytester.inline_run("-q", "-Werror", *quiet, f"--rootdir={project}", str(project / "tests"))
    passed, skipped, failed = done.countoutcomes()
    assert (done.ret, skipped, failed) == (0, 0, 0)
    return passed
