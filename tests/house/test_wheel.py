"""What people install: the wheel, built once."""

import configparser
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from house.rooms import HOUSE, PACKAGES, PROJECT, names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(HOUSE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def _read(wheel: zipfile.ZipFile, name: str) -> bytes:
    (path,) = (each for each in wheel.namelist() if each.endswith(f".dist-info/{name}"))
    return wheel.read(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_in_it(wheel: zipfile.ZipFile, package: str) -> None:
    root = HOUSE / package
    wanted = {
        f"{root.name}/{file.relative_to(root)}"
        for file in root.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert f"{root.name}/py.typed" in wanted
    assert wanted <= set(wheel.namelist())


def test_the_migrations_are_in_it(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("dragoman/store/migrations/versions/0001")]


def test_nothing_else_is_in_it(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(names())


@pytest.mark.parametrize(
    ("groups", "room"),
    [(["dragoman.adapters"], "adapters"), (["dragoman.skills", "dragoman.plugins"], "plugins")],
)
def test_every_adapter_and_plugin_has_an_entry_point(wheel: zipfile.ZipFile, groups: list[str], room: str) -> None:
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(_read(wheel, "entry_points.txt").decode())
    there = {name: target for group in groups for name, target in points[group].items()}
    assert {target.partition(":")[0] for target in there.values()} == set(names(room))
    assert {f"dragoman_{name}" for name in there} == set(names(room))
    assert points["console_scripts"]["dragoman"] == "dragoman.cli:main"


def test_metadata(wheel: zipfile.ZipFile) -> None:
    metadata = message_from_bytes(_read(wheel, "METADATA"))
    assert {"slack", "discord", "postgres", "all", "dev"} <= set(metadata.get_all("Provides-Extra", []))
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Version"] == PROJECT["project"]["version"]
    assert b"MIT License" in _read(wheel, "licenses/LICENSE")


def test_entry_points_load() -> None:
    """As installed here."""
    from dragoman.plugins import ADAPTERS, PLUGINS, SKILLS, discover

    assert {f"dragoman_{found.name}" for found in discover(ADAPTERS)} >= set(names("adapters"))
    assert {f"dragoman_{found.name}" for found in [*discover(SKILLS), *discover(PLUGINS)]} >= set(names("plugins"))
    for found in [*discover(ADAPTERS), *discover(SKILLS), *discover(PLUGINS)]:
        found.entry_point.load()


def test_the_example_of_constraints_is_plain() -> None:
    """``name==version`` and nothing else: no address, no hash, no file."""
    lines = Path(HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        name, equals, version = line.partition("==")
        assert equals, line
        assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), line
        assert version, line
        assert not set(version) & set("/@:; "), line
    assert lines == sorted(lines, key=str.lower)
