"""SECURITY.md tells the limits that there are."""

import importlib
import re
from typing import Final

import pytest

from dragoman.sections import FilesSettings, RunSettings
from dragoman_slack import downloads
from house.rooms import HOUSE

PAGE: Final = (HOUSE / "SECURITY.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"\(`(\w+)` of `([\w.]+)`\) \| (\d+)")


def test_the_table_names_limits() -> None:
    assert len(ROW.findall(PAGE)) >= 10


@pytest.mark.parametrize(("name", "module", "told"), ROW.findall(PAGE))
def test_each_limit_is_what_the_table_says(name: str, module: str, told: str) -> None:
    assert getattr(importlib.import_module(module), name) == int(told)


def test_so_are_those_of_settings_and_adapters() -> None:
    assert FilesSettings().limit == 25_000_000
    assert RunSettings().spool == 50_000_000
    assert downloads.MOST_REDIRECTS == 3
    assert re.search(r"`\[files\] limit`\) \| 25 MB", PAGE)
    assert re.search(r"`\[run\] spool`\) \| 50 MB", PAGE)
    assert "| redirects of a download | 3 |" in PAGE
