"""``dragoman queues`` and the commands beside it."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import Engine

from dragoman import Skill
from dragoman.cli import cli
from dragoman.errors import AddressError
from dragoman.operator import find_channel, tell
from dragoman.queues import Row, show_queues
from dragoman.store.catalogue import publish_manifests, retire_manifests
from dragoman.store.controls import Control, open_breaker, read_controls
from dragoman.store.engine import open_store
from dragoman.store.ledger import Routed, record_events, route_events
from support.samples import message, task

SETTINGS = '[bot]\nname = "here"\n[broker]\nurl = "memory://queues"\n[accounts.acme]\nplatform = "console"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "dragoman.toml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture
def engine(config: Path) -> Engine:
    engine = open_store(f"sqlite:///{config.parent / '.dragoman' / 'store.db'}")
    with engine.begin() as connection:
        publish_manifests(connection, [Skill("dice").manifest(), Skill("poll").manifest()])
    return engine


def dragoman(config: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, ["--config", str(config), *words], input=typed)


def said(engine: Engine) -> dict[str, Control]:
    with engine.connect() as connection:
        return read_controls(connection)


def queued(engine: Engine, count: int) -> None:
    with engine.begin() as connection:
        for number in range(count):
            event = message("roll", key=f"e{number}")
            record_events(connection, [event])
            route_events(connection, [Routed(event, ((task(event), 1),), ())])


def rows(config: Path) -> dict[tuple[str, str], dict[str, object]]:
    result = dragoman(config, "queues", "--json")
    assert result.exit_code == 0, result.output
    return {(row["kind"], row["name"]): row for row in json.loads(result.stdout)}


def test_what_operators_say_is_kept(config: Path, engine: Engine) -> None:
    assert dragoman(config, "pause", "dice", "--reason", "too loud").exit_code == 0
    assert dragoman(config, "scale", "dice", "3").exit_code == 0
    assert dragoman(config, "drain", "poll").exit_code == 0
    assert said(engine) == {
        "dice": Control("dice", "paused", 3, "too loud"),
        "poll": Control("poll", "draining", reason="taken out of service by an operator"),
    }
    assert dragoman(config, "resume", "dice").exit_code == 0
    assert dragoman(config, "scale", "dice", "0").exit_code == 0
    assert said(engine)["dice"] == Control("dice")


@pytest.mark.parametrize("words", [("pause", "dise"), ("resume", "dise"), ("drain", "dise"), ("scale", "dise", "2")])
def test_a_skill_that_there_is_not_is_an_error_with_a_hint(config: Path, engine: Engine, words: list[str]) -> None:
    result = dragoman(config, *words)
    assert result.exit_code != 0
    assert "no worker has published a skill 'dise': did you mean dice?" in result.output
    assert said(engine) == {}


def test_every_queue_has_a_row(config: Path, engine: Engine) -> None:
    queued(engine, 2)
    with engine.begin() as connection:
        open_breaker(connection, "dice", "all failed", 60.0)
    found = rows(config)
    assert list(found) == [("router", ""), ("skill", "dice"), ("skill", "poll"), ("deliver", "acme"), ("dead", "")]
    dice = found["skill", "dice"]
    assert (dice["queue"], dice["waiting"], dice["running"], dice["depth"]) == ("here.skill.dice", 2, 0, 0)
    assert (dice["state"], dice["why"], dice["consumers"]) == ("paused", "all failed", 0)
    assert isinstance(dice["until"], float)
    assert isinstance(dice["oldest"], float)
    assert found["skill", "poll"]["state"] == "running"


def test_what_waits_for_a_skill_that_is_gone_is_still_shown(config: Path, engine: Engine) -> None:
    queued(engine, 1)
    with engine.begin() as connection:
        retire_manifests(connection, ["poll"])
    assert rows(config)["skill", "dice"]["state"] == "retired"


def test_purging_asks(config: Path, engine: Engine) -> None:
    queued(engine, 3)
    result = dragoman(config, "purge", "dice", typed="n\n")
    assert result.exit_code != 0
    assert "Throw away 3 runs that wait for dice?" in result.output
    assert rows(config)["skill", "dice"]["waiting"] == 3
    assert dragoman(config, "purge", "dice", typed="y\n").stdout.endswith("purged 3\n")
    assert rows(config)["skill", "dice"]["waiting"] == 0


def test_a_broker_that_is_away_is_said_and_the_ledger_is_shown(config: Path, engine: Engine) -> None:
    queued(engine, 1)
    config.write_text(SETTINGS.replace("memory://queues", "amqp://127.0.0.1:1//"))
    result = dragoman(config, "queues", "--json")
    assert result.exit_code == 1
    (dice,) = [row for row in json.loads(result.stdout) if row["name"] == "dice"]
    assert (dice["depth"], dice["waiting"]) == (None, 1)
    assert "what waits there is not known" in result.stderr


def test_the_table_fits_and_says_why() -> None:
    out = io.StringIO()
    row = Row("b.skill.dice", "skill", "dice", 3, 4, 1, 7300.0, 0.5, 2, "paused", "all failed", 5, 90.0)
    show_queues([row], Console(file=out, width=120))
    line = out.getvalue().splitlines()[1]
    assert "skill dice" in line
    assert "2 h" in line
    assert "all failed; one is tried in 90 s; 5 at once" in line


def test_the_operators_channel_may_be_written_in_three_ways() -> None:
    assert str(find_channel("acme/#ops")) == str(find_channel("acme:#ops")) == "1:acme/%2A/%23ops"
    assert find_channel("1:acme/T1/C1").channel == "C1"
    with pytest.raises(AddressError, match="such as acme/#ops"):
        find_channel("ops")


def test_the_same_is_told_once() -> None:
    where = find_channel("acme/#ops")
    assert tell(where, "dice paused/1", "a").key == tell(where, "dice paused/1", "b").key
    assert tell(where, "dice paused/1", "a").key != tell(where, "dice paused/2", "a").key
