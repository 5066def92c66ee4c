"""``dragoman run --reload``: when a skill's code or the settings change, the workers start anew, and nothing else does.

What has changed is loaded first by a process of its own (``python -m dragoman.reload [CONFIG]``): what is
broken is named, and the workers that run go on as they are.

Watched are the ``*.py`` files of the bot's own skills and of enabled plugins that are installed with
``pip install -e``, and ``*.toml`` and ``.env`` in the bot's folder.
"""

import contextlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final

from .errors import DragomanError
from .manifest import SkillManifest
from .plugins import PLUGINS, SKILLS, discover
from .roles import BotContext
from .settings import Bot, Settings, load
from .supervisor import stop_with_parent

__all__ = ["Loaded", "Reloader", "load_anew", "package_of"]

log = logging.getLogger(__name__)

#: Seconds that loading all skills may take.
PATIENCE: Final = 60.0
#: Seconds that a reload which is under way may take when all stops.
LAST: Final = 3.0
#: Milliseconds without a change before it is acted upon: an editor writes several files, or one in steps.
QUIET: Final = 100
#: Milliseconds between two looks without a notification: for what has changed while nobody watched.
LOOK: Final = 1000

#: Settings that workers alone read, so that new workers are enough.
WORKERS: Final = frozenset({"bot.skills", "bot.folder", "bot.strict", "pools", "skills"})
#: Settings by which the parts of a bot find each other: a worker with others would be alone.
SHARED: Final = frozenset({"bot.name", "broker", "store", "run"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a fresh process has found: the manifests of the enabled skills, and the folders of editable plugins."""

    manifests: tuple[SkillManifest, ...]
    packages: tuple[Path, ...]


class Reloader:
    """Watches in a thread of its own.

    Args:
        settings: those that the bot was started with.
        config: the file that ``--config`` named.
        renew: called, in that thread, with the manifests of skills that have been loaded anew.
    """

    def __init__(
        self, settings: Settings, config: Path | None, renew: Callable[[Sequence[SkillManifest]], None]
    ) -> None:
        self._settings = settings
        self._config = config
        self._renew = renew
        self._local = settings.bot.folder
        self._packages = _packages(settings)
        self._seen = self._stamps()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dragoman-reload", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns soon, even if skills that are being loaded do not come to an end."""
        self._stopped.set()
        self._thread.join(LAST)

    def _run(self) -> None:
        from watchfiles import watch  # only those who reload need it

        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts changes; we name them
        while not self._stopped.is_set():
            folders = self._folders()
            log.info("the workers start anew when this changes: %s", ", ".join(str(tree) for tree in self._trees()))
            for _ in watch(
                *folders,
                recursive=False,  # else the data folder would be watched as well, and that changes all the time
                watch_filter=_matters,
                step=QUIET,
                stop_event=self._stopped,
                rust_timeout=LOOK,
                yield_on_timeout=True,
                raise_interrupt=False,
            ):
                seen = self._stamps()
                if seen != self._seen:
                    self._changed([path for path in seen | self._seen if seen.get(path) != self._seen.get(path)])
                    # What is watched from now on has just been loaded, and what is not watched any more cannot change.
                    watched = self._folders()
                    fresh = {path: stamp for path, stamp in self._stamps().items() if path.parent not in folders}
                    self._seen = fresh | {path: stamp for path, stamp in seen.items() if path.parent in watched}
                if self._folders() != folders:
                    break

    def _changed(self, paths: Sequence[Path]) -> None:
        names = ", ".join(sorted(path.name for path in paths))
        try:
            settings = load(self._config)
            if not self._compatible(settings):
                return
            loaded = load_anew(self._config)
            self._local, self._packages = settings.bot.folder, loaded.packages
            self._renew(loaded.manifests)
        except DragomanError as error:
            log.error("%s changed, but the workers go on with what they have: %s", names, error)
        except Exception:
            # Such as a store that is locked: the next change tries again.
            log.exception("%s changed, but the workers could not be started anew", names)
        else:
            log.info("%s changed: the workers start anew", names)

    def _compatible(self, settings: Settings) -> bool:
        """Whether workers with these settings fit the parts that go on with the old ones."""
        other = _differences(self._settings, settings) - WORKERS
        if shared := other & SHARED:
            log.error("%s changed: nothing is reloaded; start `dragoman run` again", ", ".join(sorted(shared)))
            return False
        if other:
            log.warning("%s changed: start `dragoman run` again for that", ", ".join(sorted(other)))
        return True

    def _folders(self) -> list[Path]:
        """Each is watched without those in it."""
        return sorted({self._settings.root, *(folder for tree in self._trees() for folder in _tree(tree))})

    def _trees(self) -> list[Path]:
        return [self._settings.root / self._local, *self._packages]

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """(time of the last change, size) of each file that matters."""
        root = self._settings.root
        found = [*root.glob("*.toml"), root / ".env"]
        found += [file for folder in self._folders() if folder != root for file in folder.glob("*.py")]
        stamps = {}
        for file in found:
            with contextlib.suppress(OSError):  # not there, or not any more
                status = file.stat()
                stamps[file] = (status.st_mtime_ns, status.st_size)
        return stamps


def load_anew(config: Path | None) -> Loaded:
    """Load settings and skills as a new worker would, in a process of its own.

    Raises:
        DragomanError: they cannot be; the message says which.
    """
    command = [sys.executable, "-m", "dragoman.reload", *([str(config)] if config else [])]
    # The other end of its standard input is ours: it ends when we do.
    theirs, ours = os.pipe()
    try:
        done = subprocess.run(  # noqa: S603  # this very module
            command, stdin=theirs, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise DragomanError(f"the skills are not loaded after {PATIENCE:g} s") from None
    finally:
        os.close(theirs)
        os.close(ours)
    # Skills may print when they are imported; the last line is ours.
    last = done.stdout.rstrip().rpartition("\n")[2]
    if done.returncode or not last.startswith("{"):
        raise DragomanError(f"the skills cannot be loaded (status {done.returncode}; see above)")
    told: dict[str, Any] = json.loads(last)
    if "error" in told:
        raise DragomanError(told["error"])
    return Loaded(
        tuple(SkillManifest.model_validate(manifest) for manifest in told["manifests"]),
        tuple(Path(package) for package in told["packages"]),
    )


def package_of(point: EntryPoint) -> Path | None:
    """The folder of an entry point's package (or of its module), if it is installed with ``pip install -e``."""
    written = point.dist.read_text("direct_url.json") if point.dist is not None else None
    try:
        if not written or not json.loads(written).get("dir_info", {}).get("editable"):
            return None
        spec = importlib.util.find_spec(point.module.partition(".")[0])
    except (ValueError, ImportError):
        return None
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _differences(old: Settings, new: Settings) -> set[str]:
    """Which sections differ; of ``[bot]``, which keys."""
    sections = {name for name in Settings.model_fields if getattr(old, name) != getattr(new, name)}
    if "bot" in sections:
        sections.remove("bot")
        sections |= {f"bot.{name}" for name in Bot.model_fields if getattr(old.bot, name) != getattr(new.bot, name)}
    return sections


def _packages(settings: Settings) -> tuple[Path, ...]:
    enabled = {SKILLS: settings.bot.skills, PLUGINS: settings.bot.plugins}
    found = [item.entry_point for group, names in enabled.items() for item in discover(group) if item.name in names]
    return tuple(sorted({package for point in found if (package := package_of(point)) is not None}))


def _matters(change: object, path: str) -> bool:
    """Whether it is worth a look. A log file in the bot's folder is not: what is said here would end up there."""
    name = os.path.basename(path)
    return name == ".env" or (not name.startswith(".") and (name.endswith((".py", ".toml")) or os.path.isdir(path)))


def _tree(folder: Path) -> Iterator[Path]:
    for place, names, _ in os.walk(folder):
        names[:] = [name for name in names if name != "__pycache__" and not name.startswith(".")]
        yield Path(place)


def _told(config: Path | None) -> dict[str, Any]:
    settings = load(config)
    # One that is broken must not look like one that was taken out.
    bot = BotContext.of(settings.strictly())
    bot.load_plugins()
    skills = bot.skills()
    return {
        "manifests": [skill.manifest().model_dump(mode="json") for skill in skills.values()],
        "packages": [str(package) for package in _packages(settings)],
    }


def _main(arguments: Iterable[str]) -> None:
    stop_with_parent()
    config = next(iter(arguments), None)
    try:
        told = _told(Path(config) if config else None)
    except DragomanError as error:
        told = {"error": str(error)}
    sys.stdout.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
