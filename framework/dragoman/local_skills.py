"""Skills in a folder of the bot's own: no packaging, each ``*.py`` file there is imported.

Files that begin with ``_`` and packages are not looked into for skills; the files can import them, and each other.
"""

import importlib.util
import linecache
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from .errors import PluginError

__all__ = ["import_file", "local_files"]

#: In front of the name of a file that cannot have its own, because another module has it.
PREFIX: Final = "dragoman_local_"


def local_files(folder: Path | None) -> Iterator[Path]:
    """The files that may hold skills, by name; none if there is no such folder."""
    if folder is not None and folder.is_dir():
        yield from sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))


def import_file(file: Path) -> ModuleType:
    """Import one, and let it import what lies beside it.

    Raises:
        PluginError: it is broken; the message has the file, the line and what stands there.
    """
    folder = str(file.parent.absolute())
    if folder not in sys.path:
        sys.path.append(folder)  # at the end: a file here never stands in for somebody else's module
    name = file.stem if _is_ours(file) else f"{PREFIX}{file.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and _same(getattr(loaded, "__file__", None), file):
        return loaded  # another file has imported it: its skills are there once
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} cannot be imported: is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"{file} is broken{_place(error, file)}: {type(error).__name__}: {error}") from error
    return module


def _is_ours(file: Path) -> bool:
    """Whether ``import name`` means this file."""
    try:
        spec = importlib.util.find_spec(file.stem)
    except (ImportError, ValueError):  # what has the name now is half imported, or no module at all
        return False
    return spec is not None and _same(spec.origin, file)


def _same(path: str | None, file: Path) -> bool:
    return path is not None and Path(path).absolute() == file.absolute()


def _place(error: BaseException, file: Path) -> str:
    """The innermost line of this file that led to the error."""
    line, text = 0, ""
    if isinstance(error, SyntaxError) and _same(error.filename, file):
        line, text = error.lineno or 0, error.text or ""
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            if _same(frame.f_code.co_filename, file):
                line = number
        linecache.checkcache(str(file))
        text = linecache.getline(str(file), line) if line else ""
    return f" in line {line}, `{text.strip()}`" if line else ""
