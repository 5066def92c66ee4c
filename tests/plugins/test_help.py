"""Help, from the catalogue alone, for the person who asks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import pytest
from pydantic import Field

from dragoman import Channel, Cooldown, Skill, User
from dragoman.testing import Bot
from dragoman_help import skill

talk = Skill("talk")


@talk.command("hi", "hey")
def hello(name: Annotated[str, Field(description="whom to greet")] = "you", *, loud: bool = False) -> str:
    """Say hello.

    Loudly, if you like.
    """
    return f"hello {name}{'!' if loud else ''}"


@talk.hear("x")
def overhear() -> None:
    """Answer to x."""


@talk.hear("y")
def quietly() -> None: ...


@talk.mention()
def chat() -> None:
    """Chat about anything."""


@talk.on("reaction")
def seen() -> None:
    """Never shown."""


@talk.schedule()
def later() -> None:
    """Never shown."""


@talk.webhook("/build")
def built() -> None:
    """Never shown."""


ship = Skill("ship", summary="Ships")


@ship.command(name="deploy start", allow=("deployers", "admin"), cooldown=Cooldown(3, per=60, scope="bot"))
def start(where: Literal["here", "there"]) -> None:
    """Start it."""


@ship.command(name="deploy status", cooldown=Cooldown(per=90))
def status() -> None:
    """How it goes."""


@ship.command(name="deploy", allow=("admin",), cooldown=Cooldown(2, per=3600, scope="channel"))
def deploy() -> None:
    """All at once."""


kinds = Skill("kinds")

ANN = User(id="U1", name="ann")
GENERAL = Channel(id="C1", name="general")


@kinds.command()
def every(
    count: Annotated[int, Field(ge=1, le=20, description="how many")],
    until: datetime = datetime(2030, 3, 1, 14, 30, tzinfo=UTC),
    pause: timedelta = timedelta(hours=2, minutes=30),
    who: User = ANN,
    where: Channel = GENERAL,
    share: float = 0.5,
    tags: list[str] = ["a", "b c"],  # noqa: B006  # it is never changed
    *,
    sure: bool = True,
    note: str = "",
) -> None: ...


@pytest.fixture
def skills() -> list[Skill]:
    return [talk, ship, kinds, skill]


@pytest.fixture
def bot(bot: Bot) -> Bot:
    bot.person("ann", roles=("admin",))
    bot.person("bo")
    return bot


def ask(bot: Bot, text: str = "help", by: str = "ann") -> str:
    (reply,) = bot.say(text, by=by)
    return reply.text


TALK = (
    "**talk**\n\n- `hello [--loud] [name]`: Say hello.\n- when I hear you: Answer to x.\n"
    "- when you talk to me: Chat about anything."
)
STATUS = "- `deploy status`: How it goes."
HELP = "**help**: What I can do\n\n- `help [command]`: List what I can do, or explain one command."
KINDS = "**kinds**\n\n- `every <count> [until] [pause] [who] [where] [share] [--sure] [--note note] [tags...]`"
SHIP = f"**ship**: Ships\n\n- `deploy start <here|there>`: Start it.\n{STATUS}\n- `deploy`: All at once."


def test_everything_that_can_be_asked_is_listed_by_skill(bot: Bot) -> None:
    assert ask(bot) == "\n\n".join([HELP, KINDS, SHIP, TALK])


def test_it_is_listed_on_slack_with_bullets_and_nothing_to_call_anybody(bot: Bot) -> None:
    (reply,) = bot.say("help ship", by="bo", on="slack")
    assert reply.rendered[0]["text"] == "*ship*: Ships\n\n• `deploy status`: How it goes."


def test_only_what_the_person_may_use_is_listed_and_explained(bot: Bot) -> None:
    assert "`deploy start" in ask(bot)
    assert "`deploy start" not in ask(bot, by="bo")
    assert "deploy status" in ask(bot, by="bo")
    assert ask(bot, "help deploy start", by="bo").startswith("I know no command `deploy start`.")
    assert ask(bot, "help deploy", by="bo") == f"**ship**: Ships\n\n{STATUS}"


@pytest.mark.parametrize("command", ["hello", "HI", " /hello", "!hey "])
def test_one_command_is_explained_by_any_of_its_names(bot: Bot, command: str) -> None:
    assert ask(bot, f"help {command}") == (
        "`hello [--loud] [name]`\n\nSay hello.\n\nLoudly, if you like.\n\n"
        "- `name`: whom to greet (`you` if left out)\n- `loud`: yes or no (no if left out)\n\n"
        "You can also say `hi`, `hey`."
    )


def test_roles_and_cooldowns_and_choices_are_told(bot: Bot) -> None:
    assert ask(bot, "help deploy  START") == (
        "`deploy start <here|there>`\n\nStart it.\n\n- `where`: one of `here`, `there`\n\n"
        "Only for deployers, admin.\n\nAt most 3 times in 1m, for everybody together."
    )
    assert ask(bot, "help deploy status").endswith("At most once in 1m30s, for each person.")


def test_a_command_tells_its_sub_commands(bot: Bot) -> None:
    assert ask(bot, "help deploy") == (
        "`deploy`\n\nAll at once.\n\nThere is also `deploy start`, `deploy status`.\n\n"
        "Only for admin.\n\nAt most 2 times in 1h, in each channel."
    )


def test_every_kind_of_parameter_and_default_is_written_as_people_write_it(bot: Bot) -> None:
    assert ask(bot, "help every").splitlines()[2:] == [
        "- `count`: how many; a whole number from 1 to 20",
        "- `until`: a time such as tomorrow 9:00, in 2h or 2026-03-01 14:00 (`2030-03-01 14:30` if left out)",
        "- `pause`: a length of time such as 2h30m or 90 seconds (`2h30m` if left out)",
        "- `who`: a mention of somebody, such as @ann ([@ann](dragoman:user/U1) if left out)",
        "- `where`: a channel, such as #general ([#general](dragoman:channel/C1) if left out)",
        "- `share`: a number (`0.5` if left out)",
        "- `tags`: some text, or several (`a`, `b c` if left out)",
        "- `sure`: yes or no (yes if left out)",
        "- `note`: some text",
    ]


def test_one_skill_is_listed_by_its_name(bot: Bot) -> None:
    assert ask(bot, "help Ship") == SHIP
    assert ask(bot, "help talk") == TALK


def test_an_unknown_command_is_told_with_the_nearest_and_not_repeated_in_full(bot: Bot) -> None:
    assert ask(bot, "help dance") == "I know no command `dance`. `help` lists them."
    assert ask(bot, "help helo") == "I know no command `helo`. Did you mean `hello`?"
    assert len(ask(bot, "help " + "`" * 4_000 + "x" * 4_000)) < 100
