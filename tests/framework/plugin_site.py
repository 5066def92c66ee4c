"""What is installed in a test: distributions with skills, adapters and plugins, and a bot's own folder."""

import itertools
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from dragoman.plugins import ADAPTERS, PLUGINS, SKILLS
from framework.distributions import SKILL, install

__all__ = ["Install", "adapter", "forgetting", "local", "plugin", "site", "skill"]

NUMBERS = itertools.count(1)
Install = Callable[..., str]


@pytest.fixture
def forgetting(tmp_path: Path) -> Iterator[None]:
    """No module of this test's afterwards, and the path as before."""
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgetting: None) -> Path:
    """A folder on the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def skill(site: Path) -> Install:
    """``skill("acme-weather", "weather", source)``: a distribution with one skill; the name of its module."""

    def make(distribution: str, name: str, source: str | None = None, attribute: str = ":skill") -> str:
        module = f"plugin_{next(NUMBERS)}"
        source = SKILL.format(name=name) if source is None else source
        install(site, distribution, {module: source}, {SKILLS: {name: f"{module}{attribute}"}})
        invalidate_caches()
        return module

    return make


@pytest.fixture
def plugin(site: Path) -> Callable[[str, str], None]:
    """``plugin("traffic", source)``: installed as ``acme-traffic``; its entry point names ``Made``."""

    def make(name: str, source: str) -> None:
        module = f"plugin_{next(NUMBERS)}"
        install(site, f"acme-{name}", {module: source}, {PLUGINS: {name: f"{module}:Made"}})
        invalidate_caches()

    return make


@pytest.fixture
def adapter(site: Path) -> Callable[[str, str], None]:
    def make(name: str, source: str) -> None:
        module = f"plugin_{next(NUMBERS)}"
        install(site, f"acme-{name}", {module: source}, {ADAPTERS: {name: f"{module}:Made"}})
        invalidate_caches()

    return make


@pytest.fixture
def local(tmp_path: Path, forgetting: None) -> Callable[..., Path]:
    """``local(mine="...")``: a bot's own folder with these files."""

    def make(**files: str) -> Path:
        folder = tmp_path / "skills"
        folder.mkdir()
        for name, source in files.items():
            (folder / f"{name}.py").write_text(source)
        return folder

    return make
