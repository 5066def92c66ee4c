"""The rooms of the house, as pyproject.toml and the file system say."""

import tomllib
from pathlib import Path
from typing import Any, Final

HOUSE: Final = Path(__file__).parents[2]
PROJECT: Final[dict[str, Any]] = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: Final = ("framework", "adapters", "plugins")

#: The folders of the packages, relative to the repository.
PACKAGES: Final[tuple[str, ...]] = tuple(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def names(*rooms: str) -> list[str]:
    """The import names of the packages in these rooms (all, if none is given)."""
    return [Path(package).name for package in PACKAGES if Path(package).parts[0] in (rooms or ROOMS)]


def sources(*folders: str) -> list[Path]:
    """All Python files in these folders of the repository, relative to it."""
    return [
        file.relative_to(HOUSE)
        for folder in folders
        for file in sorted((HOUSE / folder).rglob("*.py"))
        if not {"__pycache__", ".dragoman"} & set(file.parts)
    ]
