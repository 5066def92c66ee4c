"""What a settings file enables, as data."""

from pathlib import Path

import pytest

from dragoman import PluginError, SettingsError, SkillManifest, enabled_manifests


def settings(folder: Path, text: str) -> Path:
    file = folder / "dragoman.toml"
    file.write_text(text)
    return file


def test_the_enabled_skills_and_those_of_the_bots_own_folder(tmp_path: Path) -> None:
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "tea.py").write_text('from dragoman import Skill\nskill = Skill("tea")\n')
    found = enabled_manifests(settings(tmp_path, '[bot]\nskills = ["dice"]\n'))
    assert [manifest.name for manifest in found] == ["dice", "tea"]
    assert all(isinstance(manifest, SkillManifest) for manifest in found)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="nope"):
        enabled_manifests(settings(tmp_path, '[bot]\nskills = ["nope"]\n'))
    with pytest.raises(SettingsError, match="there is no settings file"):
        enabled_manifests(tmp_path / "other.toml")
