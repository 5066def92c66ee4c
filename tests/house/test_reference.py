"""docs/hooks.md and docs/settings.md say what the code says: every hook, every setting, every default."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel, SecretStr

from dragoman.access import Rule
from dragoman.hooks import Hooks
from dragoman.plugins import ADAPTERS, PLUGINS, discover
from dragoman.sections import PoolSettings, WebhookSettings
from dragoman.settings import Settings
from dragoman.variables import read_variables
from house.pages import cells, part
from house.written import PAGES, own_tests, pretend_to_install, write_files

# -- hooks.md --------------------------------------------------------------------------------------------

HOOKS: Final = dict(inspect.getmembers(Hooks, inspect.isfunction))


def test_the_hooks_are_all_on_their_page() -> None:
    listed = re.findall(r"^## `(\w+)`$", PAGES["hooks.md"], flags=re.MULTILINE)
    assert listed == [name for name in vars(Hooks) if name in HOOKS]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_described_as_its_specification_does(name: str) -> None:
    """`dragoman.hooks` says it; the page repeats it, in Markdown."""
    function = HOOKS[name]
    parameters = str(inspect.signature(function)).replace("'", "")
    said = re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(function) or "")
    section = part(PAGES["hooks.md"], f"## `{name}`\n", "\n## ")
    assert f"def {name}{parameters}" in section
    assert " ".join(said.split()) in " ".join(section.split())


def test_the_plugin_on_the_page_works(
    tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(PAGES["hooks.md"], lambda file: tmp_path / file)
    pretend_to_install(tmp_path, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert own_tests(pytester, tmp_path) == 3


# -- settings.md -----------------------------------------------------------------------------------------

SETTINGS: Final = PAGES["settings.md"]
#: A model for each table of the file; of the others, people choose the keys.
MODELS: Final[dict[str, type[BaseModel]]] = {
    **{
        f"[{section}]": field.annotation
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    },
    "[pools.NAME]": PoolSettings,
    "[webhooks.SKILL]": WebhookSettings,
    "[[rules]]": Rule,
}
#: The tables whose keys people choose, and how the page calls them.
CHOSEN: Final = {"roles": "[roles]", "skills": "[skills.NAME]", "plugins": "[plugins.NAME]"}


def _rows() -> Iterator[tuple[str, type[BaseModel]]]:
    yield from MODELS.items()
    for found in discover(ADAPTERS):
        yield f"[accounts.NAME] {found.name}", found.load().Settings
    for found in discover(PLUGINS):
        if found.origin.startswith("dragoman "):
            yield f"[plugins.{found.name}]", found.load().Settings


@pytest.mark.parametrize(("title", "model"), list(_rows()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_setting_is_there_with_its_default(title: str, model: type[BaseModel]) -> None:
    table, _, platform = title.partition(" ")
    section = part(SETTINGS, f"## {platform.capitalize()}\n", "\n## ") if platform else SETTINGS
    found = {row[0]: row for row in cells(section)}
    for key, field in model.model_fields.items():
        row = found[f"`{table} {key}`"]
        if field.is_required():
            assert row[1] == "required"
        elif field.default is None:
            assert row[1]
            assert not row[1].startswith("`")
        else:
            assert row[1] == f"`{_toml(field.get_default(call_default_factory=True))}`"
        assert len(row) == 4
        assert all(row)


def test_no_setting_is_there_that_does_not_exist() -> None:
    known = {f"`{title.partition(' ')[0]} {key}`" for title, model in _rows() for key in model.model_fields}
    known |= {
        f"`{title} {key}`" for title, key in (("[roles]", "NAME"), ("[skills.NAME]", "..."), ("[plugins.NAME]", "..."))
    }
    assert {row[0] for row in cells(SETTINGS) if row[0].startswith("`[")} == known


def test_every_table_of_the_file_is_there() -> None:
    for section in Settings.model_fields.keys() - {"root"}:
        assert re.search(rf"^\| `\[+{section}[].]", SETTINGS, flags=re.MULTILINE), section


def test_every_variable_is_a_setting() -> None:
    for row in cells(SETTINGS):
        if row[0].startswith("`["):
            (name,) = re.findall(r"`(DRAGOMAN_\w+)`", row[2])
            title, key = row[0].strip("`").split(" ")
            whole = [*re.findall(r"[\w.]+", title)[0].split("."), *([] if title.startswith("[[") else [key])]
            assert name == "DRAGOMAN_" + "__".join(whole).upper().replace("...", "KEY")
            sample = '[{"allow": true}]' if title == "[[rules]]" else "1"
            assert read_variables({name: sample}, "here", Settings)


def _toml(value: object) -> str:
    """A default as it would be written in the file."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return json.dumps(list(value) if isinstance(value, tuple | frozenset) else value)
