"""Finding and loading plugins, and blaming the right one when it is broken."""

import importlib.util
import logging
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy

from .adapter import Adapter
from .errors import PluginError
from .hooks import PROJECT, Hooks
from .skill import Skill

if TYPE_CHECKING:
    import click

__all__ = ["ADAPTERS", "SKILLS", "Found", "discover", "load_adapters", "load_commands", "load_skills"]

log = logging.getLogger(__name__)

SKILLS: Final = "dragoman.skills"
ADAPTERS: Final = "dragoman.adapters"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point that is installed; nothing of it is imported yet.

    Attributes:
        name: what enables it in the settings.
        origin: the distribution and its version, such as ``dragoman 0.1.0``.
    """

    name: str
    origin: str
    entry_point: EntryPoint

    @property
    def plugin_name(self) -> str:
        return f"{self.origin.split()[0]}:{self.name}"


def discover(group: str) -> list[Found]:
    """What is installed, by name. Two distributions may not provide the same name.

    Raises:
        PluginError: they do; the message names both.
    """
    found: dict[str, Found] = {}
    for distribution in distributions():
        for point in distribution.entry_points:
            if point.group != group:
                continue
            origin = f"{distribution.name} {distribution.version}"
            held = found.setdefault(point.name, Found(point.name, origin, point))
            # Of two versions of one distribution, the first on the path is the one that is imported.
            if held.origin.split()[0] != distribution.name:
                raise PluginError(
                    f"{group}: {point.name!r} is provided by {held.origin} and by {origin}: uninstall one of them"
                )
    return sorted(found.values(), key=lambda item: item.plugin_name)


def load_skills(enabled: Collection[str], folder: Path | None = None) -> dict[str, Skill]:
    """Load the enabled skills and those of a local folder, by name.

    Raises:
        PluginError: one is missing, broken, or named as another; the message names it.
    """
    manager = _manager()
    available = {item.name: item for item in discover(SKILLS)}
    for name in sorted(set(enabled)):
        if name not in available:
            known = ", ".join(sorted(available)) or "none"
            raise PluginError(f"bot.skills names {name!r}, which is not installed (installed: {known})")
        _register(manager, available[name])
    origins: dict[int, str] = {id(manager.get_plugin(a.plugin_name)): a.origin for a in available.values()}
    for file in _local_files(folder):
        module = _import_file(file)
        for skill in vars(module).values():
            if isinstance(skill, Skill) and not manager.is_registered(skill):
                try:
                    manager.register(skill, name=f"{file.stem}:{skill.name}")
                except ValueError:
                    raise PluginError(f"{file} has two skills named {skill.name!r}: rename one") from None
                origins[id(skill)] = str(file.name)
    skills: dict[str, Skill] = {}
    for implementation in manager.hook.dragoman_skills.get_hookimpls():
        origin = origins.get(id(implementation.plugin), implementation.plugin_name)
        for skill in _call(implementation, origin):
            if not isinstance(skill, Skill):
                raise PluginError(f"{origin}: dragoman_skills must return Skill objects, not {type(skill).__name__}")
            if skill.name in skills:
                raise PluginError(
                    f"the skill {skill.name!r} is in {skills[skill.name].origin} and in {origin}: rename one"
                )
            skill.origin = origin
            skills[skill.name] = skill
    return dict(sorted(skills.items()))


def load_adapters(platforms: Collection[str]) -> dict[str, type[Adapter]]:
    """Load the adapters of these platforms only (an SDK may take long to import), by platform.

    Raises:
        PluginError: one is missing or broken; the message names it.
    """
    manager = _manager()
    available = {item.name: item for item in discover(ADAPTERS)}
    for platform in sorted(set(platforms)):
        if platform not in available:
            known = ", ".join(sorted(available)) or "none"
            raise PluginError(f"platform {platform!r}: there is no such adapter (installed: {known})")
        _register(manager, available[platform])
    adapters: dict[str, type[Adapter]] = {}
    for implementation in manager.hook.dragoman_adapters.get_hookimpls():
        for adapter in _call(implementation, implementation.plugin_name):
            if not (isinstance(adapter, type) and issubclass(adapter, Adapter)):
                raise PluginError(
                    f"{implementation.plugin_name}: dragoman_adapters must return Adapter subclasses, not {adapter!r}"
                )
            adapters[adapter.platform] = adapter
    for platform in sorted(set(platforms) - adapters.keys()):
        raise PluginError(
            f"{available[platform].plugin_name} ({available[platform].origin}) provides no adapter with "
            f"platform = {platform!r}: its entry point and its adapter must have the same name"
        )
    return adapters


def load_commands(name: str) -> "dict[str, click.Command]":
    """The commands that the adapter of this name brings, by name; none if there is no such adapter.

    Raises:
        PluginError: it is broken.
    """
    manager = _manager()
    for found in discover(ADAPTERS):
        if found.name == name:
            _register(manager, found)
    return {
        str(command.name): command
        for implementation in manager.hook.dragoman_commands.get_hookimpls()
        for command in _call(implementation, implementation.plugin_name)
    }


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


def _register(manager: pluggy.PluginManager, found: Found) -> None:
    try:
        plugin = found.entry_point.load()
    except ModuleNotFoundError as error:
        extra = "slack" if (error.name or "").startswith("slack_sdk") else None
        hint = f"; pip install 'dragoman[{extra}]'" if extra else ""
        raise PluginError(f"{found.plugin_name} ({found.origin}) cannot be imported: {error}{hint}") from error
    except (Exception, SystemExit) as error:
        raise PluginError(f"{found.plugin_name} ({found.origin}) is broken: {error!r}") from error
    try:
        manager.register(plugin, name=found.plugin_name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"{found.plugin_name} ({found.origin}) does not fit the hooks: {error}") from error
    if not manager.get_hookcallers(plugin):
        raise PluginError(
            f"{found.plugin_name} ({found.origin}) has no hook: its entry point should name a Skill, an Adapter "
            "subclass, or a module with hookimpls"
        )


def _call(implementation: Any, origin: str) -> Any:
    try:
        return list(implementation.function())
    except Exception as error:
        raise PluginError(f"{origin}: its hook failed: {error!r}") from error


def _local_files(folder: Path | None) -> Iterator[Path]:
    if folder is not None and folder.is_dir():
        yield from sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))


def _import_file(file: Path) -> Any:
    name = f"dragoman_local_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} cannot be imported: is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"{file} is broken: {error!r}") from error
    return module
