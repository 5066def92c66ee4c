"""What a settings file enables, as data: for adapters that offer the skills' commands in their platform's own list."""

from pathlib import Path

from .manifest import SkillManifest

__all__ = ["enabled_manifests"]


def enabled_manifests(config: Path | str | None = None) -> tuple[SkillManifest, ...]:
    """The manifests of the bot's enabled skills and of those in its folder, by name.

    Args:
        config: the settings file; left out, it is found as `dragoman.settings.load` does.

    Raises:
        SettingsError: the settings cannot be read.
        PluginError: a skill is missing or broken.
    """
    # The door must open without reading settings or plugins.
    from .plugins import load_skills
    from .settings import load

    settings = load(config)
    skills = load_skills(settings.bot.skills, settings.root / settings.bot.folder)
    return tuple(skill.manifest() for skill in skills.values())
