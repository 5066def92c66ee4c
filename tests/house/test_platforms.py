"""docs/platforms.md says what the adapters declare, docs/write-an-adapter.md what `dragoman new adapter` writes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dragoman.cli import cli
from dragoman.platforms import markdown, read_platforms
from house.pages import part, read_blocks
from house.written import PAGES, own_tests

MARK = "<!-- dragoman adapters --markdown -->\n"


def test_the_table_is_what_the_adapters_declare() -> None:
    ours = [platform for platform in read_platforms() if platform.origin.startswith("dragoman ")]
    assert [platform.problem for platform in ours] == ["", "", ""]
    assert part(PAGES["platforms.md"], MARK, "<!-- -->").removeprefix(MARK).strip() == markdown(ours)


def test_every_adapter_says_what_happens_where_it_cannot() -> None:
    for platform in read_platforms():
        assert platform.adapter is not None
        for name, ability in platform.adapter.capabilities:
            assert ability or ability.note, f"{platform.name}: {name}"


def test_the_command_prints_it() -> None:
    printed = CliRunner().invoke(cli, ["adapters"], env={"COLUMNS": "200"}).output
    assert "slack (dragoman " in printed
    assert "what people say in channels" in printed
    table = CliRunner().invoke(cli, ["adapters", "--markdown"]).output
    assert table == f"{markdown(read_platforms())}\n"


def test_the_snippets_of_the_guide_are_in_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["new", "adapter", "line-chat"]).exit_code == 0
    project = tmp_path / "dragoman-line-chat"
    shown = [block for block in read_blocks(PAGES["write-an-adapter.md"]) if block.file]
    assert len(shown) >= 4
    for block in shown:
        body = (project / block.file).read_text(encoding="utf-8")
        wanted = [line.strip() for line in block.body.strip().splitlines()]
        assert "\n".join(wanted) in "\n".join(line.strip() for line in body.splitlines()), block.file
    assert own_tests(pytester, project) > 40
