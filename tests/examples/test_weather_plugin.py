"""The third-party distribution: built and installed without a network, found, enabled, and answering."""

import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from dragoman.plugins import SKILLS, discover
from dragoman.settings import load
from house.rooms import HOUSE

EXAMPLE = HOUSE / "examples" / "weather_plugin"


def run(folder: Path, *words: str, path: Path | None = None, typed: str = "") -> str:
    """What a module prints that is run there, with ``path`` on the path; it has to end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DRAGOMAN_", "PYTEST_"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the distribution has been installed into."""
    folder = tmp_path_factory.mktemp("site-packages")
    offline = ["--no-index", "--no-build-isolation", "--no-deps", "--no-compile", "--quiet"]
    run(folder, "pip", "install", "--disable-pip-version-check", *offline, "--target", str(folder), str(EXAMPLE))
    return folder


def test_it_is_complete(installed: Path) -> None:
    (found,) = [each for each in distributions(path=[str(installed)]) if each.name == "dragoman-weather"]
    files = {str(file) for file in found.files or () if file.parts[0] == "dragoman_weather"}
    assert files == {f"dragoman_weather/{name}" for name in ("__init__.py", "forecast.py", "py.typed")}
    assert found.metadata["Summary"]
    assert any(needed.startswith("dragoman") for needed in found.requires or ())


def test_it_is_discovered(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "weather" not in [found.name for found in discover(SKILLS)]
    monkeypatch.syspath_prepend(str(installed))
    assert {found.name: found.origin for found in discover(SKILLS)}["weather"] == "dragoman-weather 0.1.0"


def test_it_is_listed_and_answers_once_it_is_enabled(installed: Path, tmp_path: Path) -> None:
    settings = tmp_path / "dragoman.toml"
    settings.write_text('[bot]\nskills = ["weather"]\n[skills.weather]\ntimeout = 2\n')
    shown = run(tmp_path, "dragoman", "plugins", path=installed)
    (line,) = [line for line in shown.splitlines() if "weather" in line]
    assert "dragoman-weather 0.1.0" in line
    (answer,) = run(tmp_path, "dragoman", "chat", path=installed, typed="weather Berlin\n").splitlines()
    assert answer.startswith("Berlin: **")
    assert "made up" in answer


def test_its_own_tests_pass() -> None:
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio"]
    assert run(EXAMPLE, "pytest", *options).splitlines()[-1].startswith("9 passed")


def test_the_settings_on_its_page_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from dragoman_weather import WeatherSettings

    (block,) = re.findall(r"```toml\n(.*?)```", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "dragoman.toml").write_text(block, encoding="utf-8")
    settings = load(tmp_path / "dragoman.toml", environ={})
    assert "weather" in settings.bot.skills
    assert settings.validate_skill("weather", WeatherSettings).timeout == 5
