"""The console adapter: lines in, text out."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import ActionBase, Content, DeliveryError, EventBase, Message, Send, Sent, Target, wire
from dragoman_console import ConsoleAdapter, ConsoleSettings
from dragoman_console.normalise import normalise
from dragoman_console.render import render
from support.samples import ACTIONS, HERE


def heard(line: str, number: int = 1) -> Message | None:
    return normalise(line, account="console", session="s1", number=number, user="ann", at=5.0)


def test_a_line_is_a_direct_message_to_the_bot() -> None:
    event = heard("  roll 2d6 \n")
    assert event is not None
    assert (event.request, event.content.plain, event.conversation, event.addressed) == (
        "roll 2d6",
        "roll 2d6",
        "direct",
        True,
    )
    assert event.person is not None
    assert (event.person.id, event.person.bot, event.occurred) == ("ann", False, 5.0)


def test_two_lines_are_two_things_and_one_line_is_one() -> None:
    one, again, two = heard("x", 1), heard("x", 1), heard("x", 2)
    assert one is not None
    assert again is not None
    assert two is not None
    assert one.key == again.key == "console/console/s1/1"
    assert two.key != one.key


@pytest.mark.parametrize("line", ["", "\n", " \t\n"])
def test_an_empty_line_is_nothing(line: str) -> None:
    assert heard(line) is None


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_line_is_nothing_or_an_event_that_crosses_the_wire(line: str) -> None:
    event = heard(line)
    if event is not None:
        assert wire.decode_event(wire.encode(event)) == event


def test_every_kind_of_action_can_be_shown() -> None:
    edit = ACTIONS["edit"].model_copy(update={"target": Target(id="b1")})
    assert [
        render(action) for action in (ACTIONS["send"], edit, ACTIONS["delete"], ACTIONS["react"], ACTIONS["typing"])
    ] == [
        "**7**",
        "*(message b1 now says)* 8",
        "*(message m1 was taken back)*",
        "*(no more :tada: on message m1)*",
        "*(rolls...)*",
    ]


def test_an_action_of_the_future_is_not_shown() -> None:
    assert render(ActionBase(kind="sing", key="k", address=HERE)) == ""
    assert render(ACTIONS["typing"].model_copy(update={"status": ""})) == ""


class Person:
    """Types lines, and gets what the adapter makes of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stdin: io.TextIOBase) -> None:
        monkeypatch.setattr("sys.stdin", stdin)
        self.adapter = ConsoleAdapter("console", ConsoleSettings(user="ann"))
        self.events: list[EventBase] = []
        self.ready = False

    async def receive(self, event: EventBase) -> None:
        self.events.append(event)
        await self.adapter.perform(Send(key=event.key, address=event.address, content=Content(text="heard")))

    def connected(self) -> None:
        self.ready = True

    async def run(self) -> None:
        await self.adapter.run(self.receive, self.connected)


Types = Callable[[bytes], Person]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    return lambda typed: Person(monkeypatch, io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))


async def test_what_is_typed_is_received_until_the_input_ends(types: Types, capsys: pytest.CaptureFixture[str]) -> None:
    person = types("one\n\nzwölf\n".encode())
    await person.run()
    assert person.ready
    assert [event.request for event in person.events if isinstance(event, Message)] == ["one", "zwölf"]
    assert capsys.readouterr().out == "heard\nheard\n"


async def test_bytes_that_are_no_text_do_not_stop_the_conversation(types: Types) -> None:
    person = types(b"caf\xe9\nmore\n")
    await person.run()
    assert [event.request for event in person.events if isinstance(event, Message)] == ["caf\ufffd", "more"]


async def test_what_is_said_gets_an_id_of_its_own_and_what_is_done_gets_none(types: Types) -> None:
    adapter = types(b"").adapter
    one, two = await adapter.perform(ACTIONS["send"]), await adapter.perform(ACTIONS["send"])
    assert len({*one.ids, *two.ids}) == 2
    assert await adapter.perform(ACTIONS["delete"]) == Sent()


async def test_nothing_can_be_wrong_with_a_terminal(types: Types) -> None:
    assert await types(b"").adapter.check() == "ann at this terminal"
    assert issubclass(DeliveryError, Exception)
