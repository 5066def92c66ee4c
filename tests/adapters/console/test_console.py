"""The console adapter: lines in, text out."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import (
    ActionBase,
    Address,
    ChannelInfo,
    Content,
    DeliveryError,
    EventBase,
    Message,
    Person,
    Reaction,
    Send,
    Sent,
    Target,
    wire,
)
from dragoman_console import ConsoleAdapter, ConsoleSettings
from dragoman_console.normalise import normalise
from dragoman_console.render import render
from support.samples import ACTIONS, HERE


def heard(line: str, number: int = 1) -> Message | None:
    event = normalise(line, account="console", session="s1", number=number, user="ann", at=5.0)
    assert not isinstance(event, Reaction)
    return event


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


@pytest.mark.parametrize(
    ("line", "plain", "text"),
    [
        ("karma @ann", "karma <@ann>", "karma [@ann](dragoman:user/ann)"),
        (
            "@ann++ and @bo-- or @eve-",
            "<@ann>++ and <@bo>-- or <@eve>-",
            "[@ann](dragoman:user/ann)++ and [@bo](dragoman:user/bo)-- or [@eve](dragoman:user/eve)-",
        ),
        ("@ann-lee_2, hello", "<@ann-lee_2>, hello", "[@ann-lee_2](dragoman:user/ann-lee_2), hello"),
        ("(@zoë) and @bob.", "(<@zoë>) and <@bob>.", "([@zoë](dragoman:user/zo%C3%AB)) and [@bob](dragoman:user/bob)."),
        ("send #general hi", "send <#general> hi", "send [#general](dragoman:channel/general) hi"),
    ],
)
def test_a_name_behind_a_sign_is_a_mention(line: str, plain: str, text: str) -> None:
    event = heard(line)
    assert event is not None
    assert (event.content.plain, event.request, event.content.text) == (plain, plain, text)


@pytest.mark.parametrize(
    ("line", "message", "emoji", "added"),
    [
        ("+:wave:", "b3", "wave", True),
        (" -:+1: \n", "b3", "+1", False),
        ("+:keycap_ten: b12", "b12", "keycap_ten", True),
    ],
)
def test_a_sign_and_an_emoji_are_a_reaction_to_what_the_bot_said(
    line: str, message: str, emoji: str, added: bool
) -> None:
    event = normalise(line, account="console", session="s1", number=7, user="ann", at=5.0, last="b3")
    assert isinstance(event, Reaction)
    assert (event.id, event.emoji, event.added) == (message, emoji, added)
    assert event.key == "console/console/s1/7"


@pytest.mark.parametrize("line", ["+:wave:", "+:wave: hello", "a +:wave:", "+: wave:", "+::", "+:wave: 3"])
def test_what_is_no_reaction_or_has_nothing_to_react_to_is_said(line: str) -> None:
    assert heard(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "# Title",
        "## Title",
        "##Title",
        "mail me@example.com",
        "@example.com",
        "@scope/package",
        "`@ann` is code",
        "f `x @ann` y",
        "5 @ 3 # 2",
        "https://x.org/#part",
        "https://x.org/@ann",
        "@@ann #_x @-",
        "<@ann>",
    ],
)
def test_what_only_looks_like_a_mention_stays_as_it_is(line: str) -> None:
    event = heard(line)
    assert event is not None
    assert event.content.plain == event.content.text == event.request == line


def test_a_line_with_a_slash_stays_a_text_command() -> None:
    event = heard("/roll 2d6")
    assert event is not None
    assert event.request == "/roll 2d6"


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


class Typist:
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


Types = Callable[[bytes], Typist]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    return lambda typed: Typist(monkeypatch, io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))


async def test_what_is_typed_is_received_until_the_input_ends(types: Types, capsys: pytest.CaptureFixture[str]) -> None:
    person = types("one\n\nzwölf\n".encode())
    await person.run()
    assert person.ready
    assert [event.request for event in person.events if isinstance(event, Message)] == ["one", "zwölf"]
    assert capsys.readouterr().out == "heard\nheard\n"


async def test_a_reaction_is_to_what_the_bot_said_last(types: Types) -> None:
    person = types(b"one\ntwo\n+:wave:\n")
    await person.run()
    reaction = person.events[-1]
    assert isinstance(reaction, Reaction)
    # Lines and what the bot says are counted together: 1, b2, 3, b4.
    assert (reaction.id, reaction.emoji) == ("b4", "wave")


async def test_bytes_that_are_no_text_do_not_stop_the_conversation(types: Types) -> None:
    person = types(b"caf\xe9\nmore\n")
    await person.run()
    assert [event.request for event in person.events if isinstance(event, Message)] == ["caf\ufffd", "more"]


async def test_what_is_said_gets_an_id_of_its_own_and_what_is_done_gets_none(types: Types) -> None:
    adapter = types(b"").adapter
    one, two = await adapter.perform(ACTIONS["send"]), await adapter.perform(ACTIONS["send"])
    assert len({*one.ids, *two.ids}) == 2
    assert await adapter.perform(ACTIONS["delete"]) == Sent()


async def test_what_an_action_prints_is_shown_without_printing(
    types: Types, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = types(b"").adapter
    here = Send(key="k", address=HERE.model_copy(update={"channel": adapter.session}), content=Content(text="**7**"))
    assert adapter.render(here) == [{"text": "**7**"}]
    assert adapter.render(ACTIONS["react"]) == [{"text": "*(no more :tada: on message m1)*"}]
    assert adapter.render(ACTIONS["typing"].model_copy(update={"status": ""})) == []
    assert capsys.readouterr().out == ""


async def test_what_is_said_elsewhere_says_where(types: Types, capsys: pytest.CaptureFixture[str]) -> None:
    adapter = types(b"").adapter
    for name in ("#general", "@bob"):
        found = await adapter.look_up_channel(name, "*")
        assert found is not None
        address = Address(account="console", tenant=found.tenant, channel=found.id)
        await adapter.perform(Send(key="k", address=address, content=Content(text="hi")))
    assert capsys.readouterr().out == "*(in #general)* hi\n*(in @bob)* hi\n"


async def test_everybody_and_every_channel_that_is_named_is_there(
    types: Types, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    adapter = types(b"").adapter
    assert await adapter.look_up_person("ann", "console") == Person(id="ann", name="ann", timezone="Asia/Tokyo")
    assert await adapter.look_up_channel("#general", "*") == ChannelInfo(id="general", tenant="console", name="general")
    assert await adapter.look_up_channel("@bob", "*") == ChannelInfo(id="@bob", tenant="console", name="")
    assert await adapter.look_up_person("", "console") is None
    assert await adapter.look_up_channel("#", "console") is None


async def test_nothing_can_be_wrong_with_a_terminal(types: Types) -> None:
    assert await types(b"").adapter.check() == "ann at this terminal"
    assert issubclass(DeliveryError, Exception)
