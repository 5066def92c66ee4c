"""Finding and loading plugins, and blaming the right one when it is broken.

What is discovered is not enabled, and what is not enabled is not imported. A broken plugin is left out and named;
`strict` loading raises instead. A name that is not installed is a mistake in the settings, and always raises.
"""

import contextlib
import difflib
import inspect
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy

from .adapter import Adapter
from .errors import PluginError, SettingsError
from .local_skills import import_file, local_files
from .plugin import Plugin
from .plugin_set import RUN, PluginSet, new_manager
from .settings import Settings
from .skill import Skill

if TYPE_CHECKING:
    import click

__all__ = [
    "ADAPTERS",
    "PLUGINS",
    "SKILLS",
    "Found",
    "Problems",
    "discover",
    "hooks_of",
    "load_adapters",
    "load_commands",
    "load_plugins",
    "load_skills",
]

log = logging.getLogger(__name__)

SKILLS: Final = "dragoman.skills"
ADAPTERS: Final = "dragoman.adapters"
PLUGINS: Final = "dragoman.plugins"

#: What is wrong with each broken plugin, by its name (``distribution:name``, or a local file's).
Problems = dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point that is installed; nothing of it is imported yet.

    Attributes:
        name: what enables it in the settings.
        origin: the distribution and its version, such as ``dragoman 0.1.0``.
        rival: another distribution that provides the same name; then neither can be loaded.
    """

    name: str
    origin: str
    entry_point: EntryPoint
    rival: str = ""

    @property
    def plugin_name(self) -> str:
        return f"{self.origin.split()[0]}:{self.name}"

    @property
    def title(self) -> str:
        return f"{self.plugin_name} ({self.origin})"

    def load(self) -> Any:
        """Import it.

        Raises:
            PluginError: it is broken, or two distributions provide it.
        """
        if self.rival:
            raise PluginError(
                f"{self.entry_point.group}: {self.name!r} is provided by {self.origin} and by {self.rival}: "
                "uninstall one of them"
            )
        try:
            return self.entry_point.load()
        except ModuleNotFoundError as error:
            extra = "slack" if (error.name or "").startswith("slack_sdk") else None
            hint = f"; pip install 'dragoman[{extra}]'" if extra else ""
            raise PluginError(f"{self.title} cannot be imported: {error}{hint}") from error
        except (Exception, SystemExit) as error:
            raise PluginError(f"{self.title} is broken: {error!r}") from error


def discover(group: str) -> list[Found]:
    """What is installed, by name."""
    found: dict[str, Found] = {}
    for distribution in distributions():
        for point in distribution.entry_points:
            if point.group != group:
                continue
            origin = f"{distribution.name} {distribution.version}"
            held = found.setdefault(point.name, Found(point.name, origin, point))
            # Of two versions of one distribution, the first on the path is the one that is imported.
            if held.origin.split()[0] != distribution.name:
                found[point.name] = Found(held.name, held.origin, held.entry_point, rival=origin)
    return sorted(found.values(), key=lambda item: item.plugin_name)


def load_skills(
    enabled: Collection[str], folder: Path | None = None, *, strict: bool = True, problems: Problems | None = None
) -> dict[str, Skill]:
    """Load the enabled skills and those of a local folder, by name.

    Args:
        strict: whether a broken one raises; else it is left out.
        problems: gets what is wrong with those that are left out, instead of the log.

    Raises:
        PluginError: one is missing, or (if ``strict``) broken; the message names it.
    """
    skills: dict[str, Skill] = {}
    for found in _installed(SKILLS, enabled, "bot.skills names {!r}, which is not installed"):
        with _blame(found.plugin_name, strict, problems):
            plugin = found.load()
            _verify(found, plugin)
            implementation = getattr(plugin, "dragoman_skills", list)
            _take(skills, _call(implementation, found.origin), found.origin)
    for file in local_files(folder):
        with _blame(file.name, strict, problems):
            found_here = [value for value in vars(import_file(file)).values() if isinstance(value, Skill)]
            _take(skills, found_here, file.name)
    return dict(sorted(skills.items()))


def _take(skills: dict[str, Skill], offered: Sequence[object], origin: str) -> None:
    """All of them, or none. One that was imported from elsewhere is there already."""
    taken: dict[str, Skill] = {}
    for skill in offered:
        if not isinstance(skill, Skill):
            raise PluginError(f"{origin}: dragoman_skills must return Skill objects, not {type(skill).__name__}")
        held = taken.get(skill.name) or skills.get(skill.name)
        if held is None:
            taken[skill.name] = skill
        elif held is not skill:
            where = f"is in {held.origin} and in {origin}" if held.name in skills else f"is twice in {origin}"
            raise PluginError(f"the skill {skill.name!r} {where}: rename one")
    for name, skill in taken.items():
        skill.origin = origin
        skills[name] = skill


def load_adapters(
    platforms: Collection[str], *, strict: bool = True, problems: Problems | None = None
) -> dict[str, type[Adapter]]:
    """Load the adapters of these platforms only (an SDK may take long to import), by platform.

    Raises:
        PluginError: one is missing, or (if ``strict``) broken; the message names it.
    """
    adapters: dict[str, type[Adapter]] = {}
    for found in _installed(ADAPTERS, platforms, "platform {!r}: there is no such adapter"):
        with _blame(found.plugin_name, strict, problems):
            plugin = found.load()
            _verify(found, plugin)
            provided: dict[str, type[Adapter]] = {}
            for adapter in _call(getattr(plugin, "dragoman_adapters", list), found.title):
                if not (isinstance(adapter, type) and issubclass(adapter, Adapter)):
                    raise PluginError(
                        f"{found.title}: dragoman_adapters must return Adapter subclasses, not {adapter!r}"
                    )
                provided[adapter.platform] = adapter
            if found.name not in provided:
                raise PluginError(
                    f"{found.title} provides no adapter with platform = {found.name!r}: "
                    "its entry point and its adapter must have the same name"
                )
            adapters.update(provided)
    return adapters


def load_plugins(settings: Settings, *, strict: bool | None = None, problems: Problems | None = None) -> PluginSet:
    """Load what ``[bot] plugins`` names, with their settings.

    Args:
        strict: whether a broken one raises; left out, what the settings say.

    Raises:
        SettingsError: ``[plugins.NAME]`` is not what the plugin takes.
        PluginError: one is missing, or (if ``strict``) broken; the message names it.
    """
    enabled = settings.bot.plugins
    if unknown := set(settings.plugins) - set(enabled):
        name = min(unknown)
        raise SettingsError(f"[plugins.{name}]: no such plugin is enabled{_meant(name, enabled)}")
    if not enabled:
        return PluginSet()  # Looking through all that is installed takes a while.
    loaded: list[tuple[str, object]] = []
    for found in _installed(PLUGINS, enabled, "bot.plugins names {!r}, which is not installed"):
        with _blame(found.plugin_name, settings.bot.strict if strict is None else strict, problems):
            loaded.append((found.plugin_name, _made(found, settings)))
    return PluginSet(loaded)


def _made(found: Found, settings: Settings) -> object:
    plugin = found.load()
    if inspect.isclass(plugin):
        if not issubclass(plugin, Plugin):
            raise PluginError(f"{found.title} is a class, but no Plugin: derive it from dragoman.Plugin")
        # Not the author's mistake, so it is never left out for it.
        told = settings.validate_plugin(found.name, plugin.Settings)
        try:
            plugin = plugin(told)
        except Exception as error:
            raise PluginError(f"{found.title} cannot be made: {error!r}") from error
    elif settings.plugins.get(found.name):
        raise SettingsError(f"[plugins.{found.name}]: {found.title} takes no settings")
    _verify(found, plugin)
    return plugin


def load_commands(name: str) -> "dict[str, click.Command]":
    """The commands that the adapter or plugin of this name brings, by name; none if there is no such one.

    Raises:
        PluginError: it is broken.
    """
    commands: dict[str, click.Command] = {}
    for group in (ADAPTERS, PLUGINS):
        for found in discover(group):
            if found.name == name:
                plugin = found.load()
                _verify(found, plugin)
                for command in _call(getattr(plugin, "dragoman_commands", list), found.title):
                    commands[str(getattr(command, "name", command))] = command
    return commands


def hooks_of(plugin: object) -> tuple[str, ...]:
    """The hooks that it implements (a class: that its objects would)."""
    manager = new_manager()
    manager.register(plugin)
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))


def _installed(group: str, names: Collection[str], problem: str) -> Iterator[Found]:
    """Those of these names, in the order of their plugin names.

    Raises:
        PluginError: one is not installed.
    """
    available = {found.name: found for found in discover(group)}
    for name in sorted(set(names)):
        if name not in available:
            raise PluginError(
                f"{problem.format(name)}{_meant(name, available)} (installed: {', '.join(sorted(available)) or 'none'})"
            )
    return iter(sorted((available[name] for name in set(names)), key=lambda found: found.plugin_name))


def _meant(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _verify(found: Found, plugin: object) -> None:
    """Raise PluginError if it does not fit the hooks, or has none."""
    manager = new_manager()
    try:
        manager.register(plugin, name=found.plugin_name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"{found.title} does not fit the hooks: {error}") from error
    callers = manager.get_hookcallers(plugin)
    if not callers:
        raise PluginError(
            f"{found.title} has no hook: its entry point should name a Skill, an Adapter subclass, "
            "a Plugin subclass with hookimpls, or a module with hookimpls"
        )
    for caller in callers:
        (implementation,) = caller.get_hookimpls()
        wrapper = implementation.wrapper or implementation.hookwrapper
        if wrapper != (caller.name == RUN):
            how = "cannot be a wrapper" if wrapper else "must be a wrapper: mark it with @hookimpl(wrapper=True)"
            raise PluginError(f"{found.title} does not fit the hooks: {caller.name} {how}")


@contextlib.contextmanager
def _blame(name: str, strict: bool, problems: Problems | None) -> Iterator[None]:
    try:
        yield
    except PluginError as error:
        if strict:
            raise
        if problems is not None:
            problems[name] = str(error)
        else:
            log.error("%s; the others go on without it", error)


def _call(hook: Callable[[], Any], who: str) -> list[Any]:
    try:
        return list(hook())
    except Exception as error:
        raise PluginError(f"{who}: its hook failed: {error!r}") from error
