"""Skills in a folder of the bot's own, and what they import."""

import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from dragoman import PluginError
from dragoman.local_skills import import_file, local_files

Local = Callable[..., Path]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """``local(one="...")``: a folder with these files, forgotten after the test."""
    folder = tmp_path / "skills"
    folder.mkdir()
    before, path = set(sys.modules), list(sys.path)

    def make(**files: str) -> Path:
        for name, source in files.items():
            (folder / f"{name}.py").write_text(source)
        invalidate_caches()
        return folder

    yield make
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def broken(file: Path) -> str:
    with pytest.raises(PluginError) as caught:
        import_file(file)
    return str(caught.value)


def test_files_that_begin_with_an_underscore_hold_no_skills(local: Local) -> None:
    assert [file.name for file in local_files(local(b_two="", a_one="", _hidden=""))] == ["a_one.py", "b_two.py"]


def test_there_may_be_no_folder(tmp_path: Path) -> None:
    assert list(local_files(None)) == list(local_files(tmp_path / "nowhere")) == []


def test_a_file_can_import_what_lies_beside_it(local: Local) -> None:
    folder = local(
        h5_weather="import h5_api, h5_package.inner\nfrom _h5_hidden import name\nvalue = h5_api.value",
        h5_api="value = 5",
        _h5_hidden="name = 'hidden'",
    )
    (folder / "h5_package").mkdir()
    (folder / "h5_package" / "inner.py").write_text("")
    module = import_file(folder / "h5_weather.py")
    assert (module.value, module.name) == (5, "hidden")
    assert sys.path[-1] == str(folder)


def test_a_file_that_another_imports_is_there_once(local: Local) -> None:
    folder = local(h5_one="import h5_two\ntwo = h5_two.marker", h5_two="marker = object()")
    one, two = import_file(folder / "h5_one.py"), import_file(folder / "h5_two.py")
    assert one.two is two.marker


def test_a_file_does_not_stand_in_for_somebody_elses_module(local: Local) -> None:
    import calendar

    folder = local(calendar="value = 5")
    assert import_file(folder / "calendar.py").value == 5
    assert sys.modules["calendar"] is calendar


def test_two_folders_may_have_files_of_one_name(local: Local, tmp_path: Path) -> None:
    folder = local(h5_mine="value = 1")
    other = tmp_path / "other"
    other.mkdir()
    (other / "h5_mine.py").write_text("value = 2")
    assert [import_file(where / "h5_mine.py").value for where in (folder, other)] == [1, 2]


def test_a_mistake_is_told_with_its_line_and_what_stands_there(local: Local) -> None:
    file = local(h5_mine="def load():\n    raise KeyError('TOKEN')\n\n\nload()\n") / "h5_mine.py"
    assert broken(file) == f"{file} is broken in line 2, `raise KeyError('TOKEN')`: KeyError: 'TOKEN'"
    assert "h5_mine" not in sys.modules


def test_a_mistake_elsewhere_is_told_with_the_line_that_led_there(local: Local) -> None:
    file = local(h5_mine="import json\n\nsettings = json.loads('{')\n") / "h5_mine.py"
    assert broken(file).startswith(f"{file} is broken in line 3, `settings = json.loads('{{')`: JSONDecodeError")


def test_what_cannot_be_parsed_is_told_with_its_line(local: Local) -> None:
    file = local(h5_mine="one = 1\ndef (:\n") / "h5_mine.py"
    assert broken(file).startswith(f"{file} is broken in line 2, `def (:`: SyntaxError")


def test_a_syntax_error_beside_it_is_told_with_both_places(local: Local) -> None:
    file = local(h5_mine="\nimport h5_api\n", h5_api="def (:\n") / "h5_mine.py"
    told = broken(file)
    assert "in line 2, `import h5_api`" in told
    assert "h5_api.py, line 1" in told


def test_a_missing_module_is_told_with_the_line_that_wants_it(local: Local) -> None:
    file = local(h5_mine="import no_such_module_anywhere\n") / "h5_mine.py"
    assert broken(file).endswith(
        "`import no_such_module_anywhere`: ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    )
