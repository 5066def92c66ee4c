"""``dragoman dead``, from the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from dragoman import Person, Skill
from dragoman.cli import cli
from dragoman.store.catalogue import publish_manifests
from dragoman.store.dead import dead_id
from dragoman.store.engine import open_store
from dragoman.store.ledger import (
    Failure,
    Routed,
    claim_runs,
    fail_runs,
    park_events,
    record_events,
    record_refused,
    route_events,
)
from dragoman.store.processes import Process, beat
from dragoman.store.schema import runs
from dragoman.store.strays import keep_strays, read_stray
from dragoman.store.sweep import take_due_runs
from dragoman.supervisor import CONFIG_ERROR
from dragoman.task import run_id
from support.samples import ANN, message, send, task

ME = Process("worker", id="me")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TOKEN = "xoxb-" + "123456789012-123456789012-abcdefghijklmnopqrstuvwx"
better = Skill("better")


@better.command()
def roll() -> str:
    """Roll, and do not fail."""
    return "4"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A bot in this folder, and its store."""
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    Path("dragoman.toml").write_text('[store]\nurl = "sqlite:///bot.db"\n')
    engine = open_store("sqlite:///bot.db")
    yield engine
    engine.dispose()


def do(engine: Engine, operation: Callable[..., Any], *arguments: Any) -> Any:
    with engine.begin() as connection:
        return operation(connection, *arguments)


def call(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["dead", *arguments], input=input)


def fail(engine: Engine, key: str = "e1", error: str = "ValueError: no") -> str:
    """A run that has failed for good; its reference."""
    person = Person(id=ANN.id, name="Ann")
    event = message("roll 2d6", key=key).model_copy(update={"traceparent": TRACE, "person": person})
    made = task(event, dice="2d6")
    do(engine, beat, ME)
    do(engine, route_events, [Routed(event, ((made, 2),), ())])
    do(engine, claim_runs, [(made.run, ME.id)])
    versions = json.dumps({"dragoman": "0.1.0", "python": "3.11.7", "skill": "acme-dice 2.0"})
    trace = f"Traceback (most recent call last):\n  a line with {TOKEN}\n{error}"
    do(engine, fail_runs, [Failure(made.run, ME.id, error, None, traceback=trace, versions=versions)])
    return made.reference


def fail_all(engine: Engine) -> list[str]:
    """One of each kind: their references."""
    run = fail(engine)
    do(engine, record_events, [message("x", key="broken")])
    do(engine, park_events, [("broken", "KeyError('x')")])
    do(engine, record_refused, [(send("refused", text="hi there"), "is_archived: it is archived")])
    letter = {"reason": "not a task", "queue": "dragoman.skill.dice", "routing_key": "dice", "body": "[1]"}
    stray = read_stray(json.dumps(letter).encode())
    do(engine, keep_strays, [stray])
    return [run, dead_id("broken")[:8].upper(), dead_id("refused")[:8].upper(), stray.id[:8].upper()]


def test_a_table_shows_them_with_their_references(store: Engine) -> None:
    references = fail_all(store)
    done = call("list")
    assert done.exit_code == 0
    assert all(reference in done.stdout for reference in references)
    line = next(line for line in done.stdout.splitlines() if references[0] in line)
    assert line.split()[:2] == [references[0], "run"]
    assert "acme" in line
    assert "dice.roll" in line
    assert "ValueError: no" in line
    assert call("list", "--kind", "event", "--kind", "action").stdout.count("\n") == 3
    assert call("list", "--error", "nothing like that").stdout == "no dead letters like that\n"
    assert "there are more than 1" in call("list", "--limit", "1").stdout


def test_a_long_error_leaves_room_for_the_rest(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reference = fail(store, error="ValueError: " + "so long " * 30)
    line = next(line for line in call("list").stdout.splitlines() if reference in line)
    assert len(line) <= 80
    assert "dice.roll" in line
    assert "ValueError" in line


def test_an_empty_list_says_so(store: Engine) -> None:
    assert call("list").stdout == "no dead letters\n"
    assert json.loads(call("list", "--json").stdout) == []


def test_programs_get_json(store: Engine) -> None:
    reference = fail(store)
    (found,) = json.loads(call("list", "--json", "--skill", "dice", "--since", "2h", "--account", "acme").stdout)
    assert found["id"] == run_id("e1", "dice", "roll")
    assert (found["reference"], found["kind"], found["attempts"]) == (reference, "run", 1)
    assert (found["skill"], found["what"], found["error"]) == ("dice", "roll", "ValueError: no")


def test_show_tells_all_of_a_run_and_no_secret(store: Engine) -> None:
    reference = fail(store, error=f"ValueError: no {TOKEN}")
    done = call("show", reference.lower())
    assert done.exit_code == 0
    for part in (
        f"(reference {reference})",
        "handler  dice.roll",
        'asked    {"dice": "2d6"}',
        "attempts 1 failed, 0 lost their worker",
        "event    message e1",
        "person   Ann (U1)",
        "said     'roll 2d6'",
        "trace    0af7651916cd43dd8448eb211c80319c",
        "versions dragoman 0.1.0, python 3.11.7, skill acme-dice 2.0",
        "ValueError: no",
        "Traceback (most recent call last):",
    ):
        assert part in done.stdout
    assert TOKEN not in done.stdout
    assert not [file for file in Path().glob("bot.db*") if b"xoxb" in file.read_bytes()]


def test_show_tells_of_the_other_kinds_too(store: Engine) -> None:
    _, event, action, stray = fail_all(store)
    assert "KeyError('x')" in call("show", event).stdout
    told = call("show", action).stdout
    assert "text     'hi there'" in told
    assert "is_archived" in told
    told = call("show", stray).stdout
    assert "queue    dragoman.skill.dice" in told
    assert "body     [1]" in told


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["show", "12345678"], "no dead letter has the reference 12345678: `dragoman dead list` shows all of them"),
        (["replay"], "say which: references such as 1A2B3C4D, or --all"),
        (["replay", "12345678", "--all"], "say which"),
        (["drop", "12345678", "--skill", "dice"], "choose among --all, not among references"),
        (["replay", "--all", "--to", "nobody"], "no worker has published a skill 'nobody': there are none"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(store: Engine, arguments: list[str], what: str) -> None:
    done = call(*arguments)
    assert done.exit_code == CONFIG_ERROR
    assert what in done.stderr


def test_a_time_that_is_none_is_refused(store: Engine) -> None:
    done = call("list", "--since", "yesterdayish")
    assert done.exit_code == 2
    assert "is not a length of time" in done.stderr


def test_one_is_replayed_by_its_reference(store: Engine) -> None:
    reference = fail(store)
    done = call("replay", reference)
    assert (done.exit_code, done.stdout) == (0, "replayed 1\n")
    assert [due.id[:8].upper() for due in do(store, take_due_runs)] == [reference]
    assert call("replay", reference).exit_code == CONFIG_ERROR


def test_all_that_are_chosen_are_replayed_after_a_question(store: Engine) -> None:
    fail(store, "e1", "OSError: a")
    fail(store, "e2", "OSError: b")
    fail(store, "e3")
    assert call("replay", "--all", "--error", "OSError", input="n\n").exit_code == 1
    assert do(store, take_due_runs) == []
    done = call("replay", "--all", "--error", "OSError", input="y\n")
    assert "Replay 2?" in done.stdout
    assert "replayed 2" in done.stdout
    assert len(do(store, take_due_runs)) == 2
    assert call("replay", "--all", "--yes").stdout == "replayed 1\n"


def test_a_run_is_replayed_to_another_skill(store: Engine) -> None:
    references = fail_all(store)
    do(store, publish_manifests, [better.manifest()])
    done = call("replay", *references[:2], "--to", "better")
    assert (done.exit_code, done.stdout) == (1, "replayed 1\n")
    assert f"{references[1]} is no run but a dead event" in done.stderr
    assert [(due.id, due.skill) for due in do(store, take_due_runs)] == [(run_id("e1", "better", "roll"), "better")]


def test_dropping_asks_first(store: Engine) -> None:
    references = fail_all(store)
    assert call("drop", references[0], input="n\n").exit_code == 1
    done = call("drop", references[0], input="y\n")
    assert f"{references[0]} run dice.roll" in done.stdout
    assert "dropped 1" in done.stdout
    assert call("drop", "--all", "--yes").stdout == "dropped 3\n"
    assert call("drop", "--all").stdout == "dropped 0\n"  # and of nothing it asks nothing
    assert call("list").stdout == "no dead letters\n"
    with store.connect() as connection:
        assert connection.execute(runs.select()).one().state == "skipped"
