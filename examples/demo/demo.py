"""The main job, on embedded defaults: a Slack simulator, a Discord simulator, and one real bot that is on both.

The same skills are asked the same questions on both platforms; what is said is shown side by side. ``make demo`` runs
it. With ``ONCE=1``, or without a terminal, it ends by itself.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dragoman_discord.simulator import DiscordSimulator
from dragoman_discord.simulator import Message as DiscordMessage
from dragoman_slack.simulator import Message as SlackMessage
from dragoman_slack.simulator import SlackSimulator

#: Columns of a screen that is none, and of people's names.
WIDTH, NAMES = 110, 8

#: Who says something, and what.
Line = tuple[Text, Text]

SETTINGS = """\
[bot]
name = "demo"
skills = ["help", "dice", "poll"]

[accounts.acme]
platform = "slack"
api_url = "{slack.url}"
bot_token = "{workspace.app.bot_token}"
app_token = "{workspace.app.app_token}"

[accounts.guild]
platform = "discord"
api_url = "{discord.api_url}"
token = "{application.token}"
identify_delay = 0
"""

#: The places that stamp a message on its way, and what lies between each and the one before.
HOPS = {"router": "router", "worker": "worker", "handler": "handler", "delivery": "gateway", "sent": "platform"}

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=int(os.environ.get("COLUMNS") or WIDTH))


class Platform:
    """One half of the screen: a channel, the people in it, and what has been shown of it."""

    name: str
    #: How a person writes to the bot there.
    bot: str

    def __init__(self, store: Path) -> None:
        self._store = store

    async def ask(self, who: str, text: str, *, thread: bool = False) -> list[Line]:
        """Say something to the bot; the lines to show, with its answer and the answer's way."""
        raise NotImplementedError

    async def vote(self, emoji: str, *people: str) -> list[Line]:
        """Put an emoji on what the bot said last; the lines to show, with what the message says then."""
        raise NotImplementedError

    async def _answered(self, who: str, said: str, answer: "SlackMessage | DiscordMessage", id: str) -> list[Line]:
        return [line(who, said), line("dragoman", answer.text), *await self._way(id)]

    async def _way(self, id: str) -> list[Line]:
        """Which queue served it, and the milliseconds of each hop, as the ledger has them."""
        body = await from_ledger(id, self._store)
        if body is None:
            return []
        hops = body["hops"]
        queue = f"demo.skill.{body['key'].split('|')[-2].split('.')[0]}" if body.get("run") else "router"
        parts = [
            f"{HOPS[name]} {1000 * (at - before):.0f}"
            for (_, before), (name, at) in itertools.pairwise(hops)
            if name in HOPS
        ]
        total = 1000 * (hops[-1][1] - hops[0][1])
        return [(Text(), Text(f"{queue}, {total:.0f} ms in all: {', '.join(parts)}", style="dim"))]


class OnSlack(Platform):
    """A workspace with Ann and Bob."""

    name = "Slack, #general"
    bot = "@dragoman"

    def __init__(self, slack: SlackSimulator, store: Path) -> None:
        super().__init__(store)
        self.slack = slack
        self.workspace = slack.workspace("acme")
        self.people = {name: self.workspace.user(name, real_name=name.title()) for name in ("ann", "bob")}
        self.channel = self.workspace.channel("general", members=list(self.people.values()))

    async def ask(self, who: str, text: str, *, thread: bool = False) -> list[Line]:
        person, before, root = self.people[who], [], None
        if thread:
            root = (await person.say(self.channel, "Who begins?")).ts
            before.append(line(who, "Who begins?"))
        said = await person.say(self.channel, f"{self.bot} {text}", thread=root)
        answer = await self.channel.reply_to(said, timeout=20)
        where = "(in a thread) " if answer.thread_ts else ""
        return before + await self._answered(who, f"{where}{self.bot} {text}", answer, answer.ts)

    async def vote(self, emoji: str, *people: str) -> list[Line]:
        poll = self.channel.said[-1]
        for who in people:
            await self.people[who].react(poll, emoji)
        await self.slack.until(lambda: f"*{len(people)}*" in poll.text, 20)
        return [
            *(line(who, f"reacts with :{emoji}:") for who in people),
            line("dragoman", f"{poll.text} (edited)"),
        ]


class OnDiscord(Platform):
    """A guild with Cleo and Dan."""

    name = "Discord, #general"
    bot = "@dragoman"

    def __init__(self, discord: DiscordSimulator, store: Path) -> None:
        super().__init__(store)
        self.discord = discord
        self.guild = discord.guild("acme")
        self.people = {name: self.guild.user(name) for name in ("cleo", "dan")}
        self.application = discord.application("dragoman")
        self.channel = self.guild.channel("general")

    async def ask(self, who: str, text: str, *, thread: bool = False) -> list[Line]:
        person, before, where = self.people[who], [], self.channel
        if thread:
            where = await person.start_thread(await person.say(self.channel, "Who begins?"), "Who begins?")
            before.append(line(who, "Who begins?"))
        said = await person.say(where, f"{self.bot} {text}")
        answer = await where.reply_to(said, timeout=20)
        place = "(in a thread) " if answer.channel.is_thread else ""
        return before + await self._answered(who, f"{place}{self.bot} {text}", answer, answer.id)

    async def slash(self, who: str, command: str, **options: Any) -> list[Line]:
        """Use a slash command, whose form Discord has from the skill's signature."""
        await self.discord.until(lambda: command in {known.name for known in self.application.commands.values()}, 20)
        used = await self.people[who].slash(self.channel, command, **options)
        answer = await used.reply(timeout=20)
        typed = " ".join([f"/{command}", *(f"{name}:{value}" for name, value in options.items())])
        return await self._answered(who, typed, answer, answer.id)

    async def vote(self, emoji: str, *people: str) -> list[Line]:
        poll = self.channel.said[-1]
        for who in people:
            await self.people[who].react(poll, {"two": "2️⃣"}[emoji])
        await self.discord.until(lambda: f"**{len(people)}**" in poll.text, 20)
        return [
            *(line(who, f"reacts with :{emoji}:") for who in people),
            line("dragoman", f"{poll.text} (edited)"),
        ]


async def main(interactive: bool) -> int:
    """Start everything, talk, and stop everything."""
    with tempfile.TemporaryDirectory(prefix="dragoman-demo-") as folder:
        async with SlackSimulator() as slack, DiscordSimulator() as discord:
            store = Path(folder) / ".dragoman" / "store.db"
            left, right = OnSlack(slack, store), OnDiscord(discord, store)
            config = Path(folder) / "dragoman.toml"
            config.write_text(
                SETTINGS.format(slack=slack, workspace=left.workspace, discord=discord, application=right.application),
                encoding="utf-8",
            )
            console.print(
                f"[bold]A Slack simulator[/bold] listens at {slack.origin} and [bold]a Discord simulator[/bold] at "
                f"{discord.origin}; one bot connects to both as it would to Slack and Discord.\n"
            )
            with _bot(config) as log:
                try:
                    await slack.connected(timeout=40)
                    await discord.connected(timeout=40)
                except TimeoutError:
                    console.print("[red]The bot did not connect:[/red]")
                    console.print(log.read_text()[-2000:], markup=False)
                    return 1
                await _converse(left, right)
                if interactive:
                    await _listen(left)
    console.print("[dim]Everything has been stopped.[/dim]")
    return 0


async def _converse(left: OnSlack, right: OnDiscord) -> None:
    """The same questions on both, at the same time."""
    _side_by_side(*([(Text(), Text(place.name, style="bold underline"))] for place in (left, right)))
    for text in ("help dice", "roll 3d6+2 --times 2", "rol 2d6", "roll 2d6 99"):
        _side_by_side(*await asyncio.gather(left.ask("ann", text), right.ask("cleo", text)))
    # A command is typed on the one; on the other it is also a form.
    _side_by_side(*await asyncio.gather(left.ask("bob", "roll 2d6 2"), right.slash("dan", "roll", dice="2d6", times=2)))
    _side_by_side(
        *await asyncio.gather(
            left.ask("bob", "roll 1d20", thread=True),
            right.ask("dan", "roll 1d20", thread=True),
        )
    )
    asked = 'poll "Lunch?" pizza sushi'
    _side_by_side(*await asyncio.gather(left.ask("ann", asked), right.ask("cleo", asked)))
    _side_by_side(*await asyncio.gather(left.vote("two", "ann", "bob"), right.vote("two", "cleo", "dan")))


def line(who: str, text: str) -> Line:
    """What somebody says, on one or more lines."""
    style = "bold cyan" if who == "dragoman" else "bold green"
    return Text(who, style=style), Text("\n".join(filter(None, text.splitlines())))


def _side_by_side(left: list[Line], right: list[Line]) -> None:
    table = Table.grid(Column(ratio=1), Column(ratio=1), expand=True, padding=(0, 2))
    table.add_row(*map(_half, (left, right)))
    console.print(table)
    console.print()


def _half(lines: list[Line]) -> Table:
    half = Table.grid(
        Column(width=NAMES, justify="right"), Column(ratio=1, overflow="fold"), expand=True, padding=(0, 1)
    )
    for who, said in lines:
        half.add_row(who, said)
    return half


async def from_ledger(id: str, store: Path) -> dict[str, Any] | None:
    """The action that made a message; the gateway writes it a moment after the platform has it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as ledger:
            row = ledger.execute("SELECT body FROM actions WHERE sent_ids LIKE ?", (f'%"{id}"%',)).fetchone()
        if row is not None:
            found: dict[str, Any] = json.loads(row[0])
            return found
        await asyncio.sleep(0.02)
    return None


async def _listen(place: OnSlack) -> None:
    console.print(
        "[bold]You are Ann on Slack.[/bold] Say something such as [green]@dragoman roll 2d6[/green]; "
        "an empty line ends it."
    )
    while typed := (await _ask()).strip():
        said = await place.people["ann"].say(place.channel, typed)
        try:
            answer = await place.channel.reply_to(said, timeout=5)
        except TimeoutError:
            console.print(
                "[dim]The bot has nothing to say to that: talk that is not addressed to it is left alone.[/dim]"
            )
            continue
        console.print(_half((await place._answered("ann", typed, answer, answer.ts))[1:]))


async def _ask() -> str:
    """A line from the terminal; empty at its end. Read in a daemon thread, which Ctrl-C need not wait for."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def end(text: str) -> None:
        if not typed.done():
            typed.set_result(text)

    def read() -> None:
        try:
            text = console.input("[green bold]ann[/green bold]> ")
        except EOFError:
            text = ""
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(end, text)

    threading.Thread(target=read, daemon=True).start()
    return await typed


@contextlib.contextmanager
def _bot(config: Path) -> Iterator[Path]:
    """``dragoman run`` with its log beside its settings."""
    log = config.with_name("bot.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dragoman", "--config", str(config), "run"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for us; we stop the bot when we have left the conversation.
            start_new_session=True,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.stdin.isatty() and not os.environ.get("ONCE"))))
    except KeyboardInterrupt:
        console.print("\n[dim]Everything has been stopped.[/dim]")
