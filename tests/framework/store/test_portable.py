"""Out of one store and into another."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select

from dragoman import DragomanError, Scheduled, StoreError, wire
from dragoman.data import Rows
from dragoman.store import portable
from dragoman.store.data import DataRows
from dragoman.store.engine import connect, open_store
from dragoman.store.portable import Count, export_store, import_store
from dragoman.store.schema import data, manifests, timers
from dragoman.store.timers import LARGEST, TimerRows, take_due_timers
from dragoman.timers import Timer
from support.postgres import PostgreSQL

NOW = 1_700_000_000.0
BODY: dict[str, Any] = {
    "v": 1, "kind": "schedule", "key": "timer", "address": {"account": "acme", "tenant": "T1", "channel": "C2"},
    "conversation": "channel", "skill": "remind", "handler": "tell", "due": NOW, "hops": [["later", 1.5]],
    "arguments": {"text": "ü\0", "of a newer one": None},
}  # fmt: skip
ONCE: dict[str, Any] = {"cron": None, "timezone": None, "created_at": NOW}
TIMERS: list[dict[str, Any]] = [
    {"id": "t1", "skill": "remind", "handler": "tell", "due_at": NOW + 0.25, **ONCE, "body": json.dumps(BODY)},
    {"id": "t2", "skill": "poll", "handler": "close", "due_at": NOW - 5, **ONCE,
     "body": json.dumps({**BODY, "skill": "poll", "handler": "close"})},
]  # fmt: skip
#: Nothing of these goes out: a schedule, which every start writes, and what nobody could read when it was due.
STAYING: list[dict[str, Any]] = [
    {**TIMERS[0], "id": "cron/poll.close", "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
    {**TIMERS[0], "id": "t3", "due_at": None, "body": "{}"},
]
VALUES = [
    ("karma", "", "a\n\"'", '{"b":[1,1.5,null,"\\u0000\\ud800\\u00fc"]}', None),
    ("karma", "c:acme/T1/C2", "a", "1e+300", NOW + 0.125),
    ("karma", "p:acme/T1/U1", "ü\U0001f600", "12345678901234567890123", None),
    ("poll", "", "a", "null", None),
]
HEADER = '{"dragoman": "store", "format": 1}'


def line(**more: Any) -> str:
    return json.dumps({"data": {"skill": "karma", "scope": "", "key": "k", "value": 1, **more}})


def timer(**more: Any) -> str:
    same = {name: more[name] for name in ("skill", "handler") if name in more}
    return json.dumps({"timer": {**TIMERS[0], "body": {**BODY, **same}, **more}})


def body(**more: Any) -> str:
    return timer(body={**BODY, **more})


def fill(store: Engine) -> None:
    rows: Rows = DataRows(store, lambda: NOW)
    for value in VALUES:
        rows.write(*value)
    rows.write("karma", "", "over", "1", NOW)
    with store.begin() as connection:
        connection.execute(insert(timers), [*TIMERS, *STAYING])


def contents(store: Engine) -> tuple[set[tuple[Any, ...]], list[dict[str, Any]]]:
    with store.connect() as connection:
        values = connection.execute(select(data.c.skill, data.c.scope, data.c.key, data.c.value, data.c.expires_at))
        found = connection.execute(select(timers).order_by(timers.c.id)).mappings()
        return {tuple(row) for row in values}, [dict(row) | {"body": json.loads(row["body"])} for row in found]


def export(store: Engine, skill: str | None = None) -> str:
    out = io.StringIO()
    export_store(store, out, now=NOW, skill=skill)
    return out.getvalue()


def load(store: Engine, text: str, *, replace: bool = False) -> Count:
    return import_store(store, text.split("\n"), now=NOW, replace=replace)


@pytest.fixture
def both(tmp_path: Path, postgres: PostgreSQL) -> Iterator[list[Engine]]:
    urls = [f"sqlite:///{tmp_path / 'other.db'}", f"postgresql{postgres.database()}"]
    engines = [open_store(url) for url in urls]
    yield engines
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("turn", [1, -1])
def test_everything_goes_from_one_database_to_the_other(both: list[Engine], turn: int) -> None:
    source, target = both[::turn]
    fill(source)
    text = export(source)
    assert load(target, text) == Count(data=4, timers=2)
    assert contents(target) == (set(VALUES), [row | {"body": json.loads(row["body"])} for row in TIMERS])
    assert export(target) == text


def test_an_export_is_a_header_and_a_line_for_each(store: Engine) -> None:
    fill(store)
    out = io.StringIO()
    assert export_store(store, out, now=NOW) == Count(data=4, timers=2)
    header, *lines = map(json.loads, out.getvalue().splitlines())
    assert header == {"dragoman": "store", "format": 1, "lines": 6}
    assert lines[0]["data"]["value"] == {"b": [1, 1.5, None, "\0\ud800ü"]}
    assert lines[1] == {
        "data": {"skill": "karma", "scope": "c:acme/T1/C2", "key": "a", "value": 1e300, "expires_at": NOW + 0.125}
    }
    assert lines[4] == {
        "timer": {key: TIMERS[0][key] for key in ("id", "skill", "handler", "due_at", "created_at")} | {"body": BODY}
    }
    assert [next(iter(each)) for each in lines] == ["data"] * 4 + ["timer"] * 2


def test_one_skill_alone_can_be_exported(store: Engine) -> None:
    fill(store)
    lines = [json.loads(each) for each in export(store, "poll").splitlines()[1:]]
    assert [(kind, fields["skill"]) for each in lines for kind, fields in each.items()] == [
        ("data", "poll"),
        ("timer", "poll"),
    ]
    assert export(store, "nobody").splitlines() == ['{"dragoman": "store", "format": 1, "lines": 0}']


def test_many_lines_are_one_import(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "AT_ONCE", 3)
    text = "\n".join([HEADER, *(line(key=str(n)) for n in range(10)), *(timer(id=str(n)) for n in range(7))])
    assert load(store, text) == Count(data=10, timers=7)
    assert len(export(store).splitlines()) == 18


def test_the_file_of_a_bot_that_has_schedules_goes_into_one_that_has_run(store: Engine) -> None:
    fill(store)
    text = export(store)
    with store.begin() as connection:
        connection.execute(delete(timers).where(timers.c.cron.is_(None)))
        connection.execute(delete(data))
    assert load(store, text) == Count(data=4, timers=2)


def test_schedules_in_the_file_of_an_earlier_version_are_ignored(store: Engine) -> None:
    old = [{"timer": {**row, "body": json.loads(row["body"])}} for row in (TIMERS[0], STAYING[0])]
    text = "\n".join(map(json.dumps, [{"dragoman": "store", "format": 1, "lines": 2}, *old]))
    assert load(store, text) == Count(timers=1)
    assert [row["id"] for row in contents(store)[1]] == ["t1"]


def test_the_largest_timer_that_can_be_asked_for_goes_out_and_in(store: Engine) -> None:
    timer = Timer(id="t1", skill="remind", handler="tell", due_at=NOW, event=Scheduled.model_validate(BODY))
    left = LARGEST - len(wire.encode(timer.event).decode())
    event = timer.event.model_copy(update={"arguments": timer.event.arguments | {"text": "ü\0" + "ü" * left}})
    TimerRows(store).add(timer.model_copy(update={"event": event}))
    text = export(store)
    assert load(store, text, replace=True) == Count(timers=1)
    assert export(store) == text
    with store.begin() as connection:
        connection.execute(insert(manifests), {"skill": "remind", "digest": "", "body": "", "published_at": 0})
        (due,) = take_due_timers(connection, NOW)
    assert due.arguments == event.arguments


def test_what_has_expired_meanwhile_is_left_out(store: Engine) -> None:
    count = load(store, f"{HEADER}\n{line(expires_at=NOW)}\n{line(key='b', expires_at=NOW + 1)}")
    assert str(count) == "1 value and 0 timers; 1 had expired"
    assert [value[2] for value in contents(store)[0]] == ["b"]


def test_what_is_there_is_not_overwritten_unless_asked_to_be(store: Engine) -> None:
    fill(store)
    before = contents(store)
    text = f"{HEADER}\n{line(key='new')}\n{line(scope='c:acme/T1/C2', key='a', value=7)}\n{line(skill='poll', key='a')}"
    with pytest.raises(DragomanError) as caught:
        load(store, text)
    assert str(caught.value) == (
        "nothing was imported: the key 'a' of skill karma in c:acme/T1/C2 is in the store already; "
        "--replace overwrites what is there"
    )
    assert contents(store) == before
    assert load(store, text, replace=True) == Count(data=3)
    values = {value[:4] for value in contents(store)[0]}
    assert {("karma", "c:acme/T1/C2", "a", "7"), ("karma", "", "new", "1"), ("poll", "", "a", "1")} <= values
    assert VALUES[0][:4] in values


def test_a_timer_that_is_there_is_not_overwritten_unless_asked_to_be(store: Engine) -> None:
    fill(store)
    before = contents(store)
    text = f"{HEADER}\n{line(key='new')}\n{timer(id='t0')}\n{timer(handler='other')}"
    with pytest.raises(DragomanError, match="the timer t1 is in the store already"):
        load(store, text)
    assert contents(store) == before
    assert load(store, text, replace=True) == Count(data=1, timers=2)
    assert [row["handler"] for row in contents(store)[1]] == ["tell", "tell", "other", "close", "tell"]


def test_what_has_expired_and_is_not_yet_deleted_is_no_obstacle(store: Engine) -> None:
    fill(store)
    assert load(store, f"{HEADER}\n{line(key='over', value=5)}") == Count(data=1)
    assert ("karma", "", "over", "5", None) in contents(store)[0]


def test_who_has_read_a_value_before_an_import_sees_that_it_is_another_one(store: Engine) -> None:
    fill(store)
    rows = DataRows(store, lambda: NOW)
    row = rows.read("poll", "", "a")
    assert row is not None
    load(store, f"{HEADER}\n{line(skill='poll', key='a', value=None)}", replace=True)
    assert not rows.swap("poll", "", "a", row.version, "2", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("{}", "line 1: this is not what `dragoman store export` writes"),
        ("[1]", "line 1: this is not what"),
        ('{"dragoman": "store", "format": "1"}', "line 1: this is not what"),
        (line(), "line 1: this is not what"),
        ('{"dragoman": "store", "format": 2}', "line 1: format 2 is of a newer Dragoman (this one knows 1): upgrade"),
        ('{"dragoman": "store", "format": 1, "lines": 3}\n' + line(), '1 lines follow the first one, which says "lin'),
        (f"{HEADER}\n\n{line()}\n{{", "line 4: not JSON"),
        (f"{HEADER}\n{line()[:-1]}", "line 2: not JSON"),
        (f"{HEADER}\n{'[' * 200000}", "line 2: not JSON"),
        (f"{HEADER}\n3", 'line 2: neither {"data": ...} nor {"timer": ...}'),
        (f'{HEADER}\n{{"data": {{}}, "timer": {{}}}}', "line 2: neither"),
        (f'{HEADER}\n{{"data": 3}}', "line 2: data: "),
        (f'{HEADER}\n{{"data": {{"skill": "karma"}}}}', "line 2: data.scope: Field required"),
        (f"{HEADER}\n{line(color='red')}", "line 2: data.color: "),
        (f"{HEADER}\n{line(value=float('nan'))}", "line 2: not JSON: NaN is not a JSON number"),
        (f"{HEADER}\n{line(value='x' * 300_000)}", "line 2: the value: the value is 300,002 bytes"),
        (f"{HEADER}\n{line(key='')}", "line 2: data.key: "),
        (f"{HEADER}\n{line(key='x' * 257)}", "line 2: data.key: "),
        (f"{HEADER}\n{line(key='a' + chr(0))}", "line 2: data.key: characters that no database can keep"),
        (f"{HEADER}\n{line(key=chr(0xD800))}", "line 2: data.key: "),
        (f"{HEADER}\n{line(scope='x:y')}", "line 2: data.scope: "),
        (f"{HEADER}\n{line(expires_at='soon')}", "line 2: data.expires_at: "),
        (f"{HEADER}\n{line()}\n{line()}", "line 3: the key 'k' of skill karma is there for the second time"),
        (f"{HEADER}\n{timer()}\n{timer()}", "line 3: the timer t1 is there for the second time"),
        (f"{HEADER}\n{timer(body='{}')}", "line 2: timer.body: "),
        (f"{HEADER}\n{timer(due_at=True)}", "line 2: timer.due_at: "),
        (f"{HEADER}\n{timer(due_at=None)}", "line 2: timer.due_at: "),
        (
            f"{HEADER}\n{timer(due_at=1e9)}".replace("1000000000.0", "1e999"),
            "line 2: timer.due_at: Input should be a fin",
        ),
        (f"{HEADER}\n{timer(created_at=1e9)}".replace("1000000000.0", "1e999"), "line 2: timer.created_at: "),
        (f"{HEADER}\n{timer(id='')}", "line 2: timer.id: "),
        (f"{HEADER}\n{timer(id='x' * 65)}", "line 2: timer.id: "),
        (f"{HEADER}\n{timer(id='cron/remind.tell')}", "line 2: timer.id: cron/ begins the ids of schedules"),
        (f"{HEADER}\n{timer(skill='x.y')}", "line 2: timer.skill: "),
        (f"{HEADER}\n{timer(handler='x' * 129)}", "line 2: timer.handler: "),
        (f"{HEADER}\n{timer(cron=5)}", "line 2: timer.cron: "),
        (f"{HEADER}\n{timer(body={})}", "line 2: timer.body.key: Field required"),
        (f"{HEADER}\n{timer(id='t0')}\n{body(kind='message')}", "line 3: timer.body.kind: "),
        (f"{HEADER}\n{body(v=2)}", "line 2: timer.body.v: "),
        (f"{HEADER}\n{body(address={'account': 'acme'})}", "line 2: timer.body.address.tenant: Field required"),
        (f"{HEADER}\n{body(arguments=[])}", "line 2: timer.body.arguments: "),
        (f"{HEADER}\n{body(due=1e9)}".replace("1000000000.0", "1e999"), "line 2: timer.body: Out of range float"),
        (f"{HEADER}\n{body(arguments={'a': [1e9]})}".replace("1000000000.0", "1e999"), "line 2: timer.body: Out of"),
        (f"{HEADER}\n{body(arguments={'a': chr(0xD800)})}", "line 2: timer.body: "),
        (f"{HEADER}\n{body(skill='poll')}", "line 2: timer.body: it is for poll.tell, and the timer for remind.tell"),
        (f"{HEADER}\n{body(handler='ask')}", "line 2: timer.body: it is for remind.ask, and the timer for remind.tell"),
        (f"{HEADER}\n{body(arguments={'a': 'ü' * 262_144})}", "line 2: timer.body: 262,3"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_nothing_is_imported(tmp_path: Path, text: str, why: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    good = line(key="good")
    for whole in (text, text.replace(HEADER, f"{HEADER}\n{good}", 1)):
        with pytest.raises(DragomanError) as caught:
            load(store, whole)
        assert str(caught.value).startswith("nothing was imported: ")
        if whole is text:
            assert why in str(caught.value)
    assert contents(store) == (set(), [])
    store.dispose()


@pytest.mark.parametrize(
    "call", [lambda engine: export(engine), lambda engine: load(engine, HEADER)], ids=["export", "import"]
)
def test_a_store_that_is_away_is_told(call: Callable[[Engine], Any]) -> None:
    engine = connect("postgresql://ann:sekret@127.0.0.1:1/name")
    with pytest.raises(StoreError, match="the store cannot be used: ") as caught:
        call(engine)
    assert "sekret" not in str(caught.value)
    engine.dispose()
