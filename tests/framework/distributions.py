"""Distributions that are not really installed: a folder on the path with modules and their metadata."""

from pathlib import Path

SKILL = "from dragoman import Skill\nskill = Skill({name!r})\n"


def install(
    folder: Path, name: str, modules: dict[str, str], entry_points: dict[str, dict[str, str]], version: str = "1.0"
) -> None:
    """Write it: ``modules`` by name, ``entry_points`` by group and name."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line
        for group, points in entry_points.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
