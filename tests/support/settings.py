"""A bot's folder with its settings."""

from pathlib import Path

import pytest

from dragoman import SettingsError
from dragoman.settings import Settings, load

__all__ = ["Folder"]


class Folder:
    """A bot's folder: write files, read the settings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.toml = path / "dragoman.toml"

    def read(self, toml: str = "", *, dotenv: str | None = None, **environ: str) -> Settings:
        self.toml.write_text(toml)
        if dotenv is not None:
            (self.path / ".env").write_text(dotenv)
        return load(self.toml, environ=environ)

    def mistake(self, toml: str = "", *, dotenv: str | None = None, **environ: str) -> str:
        with pytest.raises(SettingsError) as caught:
            self.read(toml, dotenv=dotenv, **environ)
        return str(caught.value)
