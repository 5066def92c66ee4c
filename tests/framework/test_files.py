"""``ctx.files``: what people attach, and what a skill sends."""

from pathlib import Path

import pytest

from dragoman import Content, Context, FileRef, Message, Skill, SkillError
from dragoman.settings import Settings
from dragoman.testing import Bot

skill = Skill("copier", retries=0)


@skill.command()
def shout(ctx: Context) -> None:
    """Give back what is attached, in capitals."""
    assert isinstance(ctx.event, Message)
    made = [ctx.files.attach(f"loud-{file.name}", ctx.files.read(file).upper()) for file in ctx.event.content.files]
    ctx.reply(Content(text="Here:", files=tuple(made)))


@skill.command()
def forward(ctx: Context) -> None:
    """Send what is attached to another platform."""
    assert isinstance(ctx.event, Message)
    fetched = ctx.files.fetch_all(ctx.event.content.files)
    ctx.send("other:#general", Content(files=fetched))


@skill.command()
def logo(ctx: Context, path: Path) -> None:
    """Send a file of this machine."""
    ctx.reply(Content(files=(ctx.files.attach("pictures\\logo.png", path),)))


@skill.command()
async def hasty(ctx: Context) -> None:
    """Forget that files are waited for."""
    ctx.files.attach("a.txt", b"")


@pytest.fixture
def skills() -> list[Skill]:
    return [skill]


@pytest.fixture
def bot_settings() -> Settings:
    accounts = {name: {"platform": "console"} for name in ("test", "other")}
    return Settings.model_validate({"files": {"limit": "10kB"}, "accounts": accounts})


def test_what_is_attached_can_be_read_and_answered_with_a_file(bot: Bot) -> None:
    (reply,) = bot.say("shout", files={"one.txt": b"one", "zwei.txt": "zw\u00f6lf".encode()})
    assert [(file.name, bot.read(file)) for file in reply.files] == [
        ("loud-one.txt", b"ONE"),
        ("loud-zwei.txt", b"ZW\xc3\xb6LF"),
    ]
    assert (reply.files[0].media_type, reply.files[0].size) == ("text/plain", 3)


def test_what_is_attached_can_be_sent_on(bot: Bot) -> None:
    (reply,) = bot.say("forward", files={"a.bin": b"\0\1"})
    assert (reply.address.account, bot.read(reply.files[0]), reply.files[0].name) == ("other", b"\0\1", "a.bin")


def test_a_file_of_this_machine_is_sent_under_its_own_name_only(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"png")
    (reply,) = bot.say(f"logo {tmp_path / 'x'}")
    assert (reply.files[0].name, reply.files[0].media_type, bot.read(reply.files[0])) == (
        "logo.png",
        "image/png",
        b"png",
    )


def test_what_is_too_large_is_an_error_that_names_file_and_setting(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 10_001)
    with bot.fails_with(SkillError, r"attach\('logo.png'\): a file may have 10,000 bytes: raise \[files\] limit"):
        bot.say(f"logo {tmp_path / 'big'}")


def test_what_the_platform_does_not_give_is_an_error(bot: Bot) -> None:
    bot.platform.download = lambda file: (_ for _ in ()).throw(KeyError(file.id))  # type: ignore[method-assign]
    with pytest.raises(KeyError):
        bot.say("shout", files={"one.txt": b"one"})


def test_an_event_loop_is_not_held_up_by_files(bot: Bot) -> None:
    with bot.fails_with(SkillError, r"await asyncio.to_thread\(ctx.files.attach, name, data\)"):
        bot.say("hasty")


def test_a_file_from_no_platform_cannot_be_fetched(bot: Bot) -> None:
    orphan = Skill("orphan", retries=0)

    @orphan.webhook("/in")
    def incoming(ctx: Context) -> None:
        ctx.files.read(FileRef(id="F1", name="x.txt"))

    with Bot([orphan]) as alone, alone.fails_with(SkillError, "'x.txt' is not in the bot's keeping"):
        alone.webhook(orphan, "/in")
