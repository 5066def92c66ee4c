"""The main job, on embedded defaults: a Slack simulator, the real bot, and a short conversation.

``make demo`` runs it. With ``ONCE=1``, or without a terminal, it ends by itself.
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
from rich.markup import escape

from dragoman_slack.simulator import Channel, Message, SlackSimulator, User

console = Console(highlight=False, soft_wrap=True)

CONVERSATION = (
    ("general", "@dragoman help"),
    ("general", "@dragoman roll 2d6"),
    ("games", "@dragoman roll 3d6+2 --times 3"),
    ("games", "@dragoman rol 2d6"),
    ("games", "@dragoman roll 2d6 99"),
)

SETTINGS = """\
[bot]
name = "demo"
skills = ["help", "dice"]

[accounts.acme]
platform = "slack"
api_url = "{url}"
bot_token = "{bot}"
app_token = "{app}"
"""

#: The places that stamp a message on its way, and what lies between each and the one before.
HOPS = {
    "router": "to router",
    "worker": "to worker",
    "handler": "in handler",
    "delivery": "to gateway",
    "sent": "to Slack",
}


async def main(interactive: bool) -> int:
    """Start everything, talk, and stop everything."""
    with tempfile.TemporaryDirectory(prefix="dragoman-demo-") as folder:
        async with SlackSimulator() as slack:
            acme = slack.workspace("acme")
            ann, bob = acme.user("ann", real_name="Ann"), acme.user("bob", real_name="Bob")
            rooms = {name: acme.channel(name, members=[ann, bob]) for name in ("general", "games")}
            config = Path(folder) / "dragoman.toml"
            config.write_text(
                SETTINGS.format(url=slack.url, bot=acme.app.bot_token, app=acme.app.app_token), encoding="utf-8"
            )
            console.print(
                f"[bold]A Slack simulator[/bold] listens at {slack.origin}; Dragoman connects as it would to Slack."
            )
            with _bot(config) as log:
                try:
                    await slack.connected(timeout=40)
                except TimeoutError:
                    console.print(f"[red]The bot did not connect:[/red]\n{escape(log.read_text()[-2000:])}")
                    return 1
                store = Path(folder) / ".dragoman" / "store.db"
                await _converse(rooms, ann, bob, store)
                if interactive:
                    await _listen(rooms["general"], ann, store)
    console.print("[dim]Everything has been stopped.[/dim]")
    return 0


async def _converse(rooms: dict[str, Channel], ann: User, bob: User, store: Path) -> None:
    for number, (room, text) in enumerate(CONVERSATION):
        await _exchange(rooms[room], (ann, bob)[number % 2], text, store)
    opening = await ann.say(rooms["games"], "Who begins?")
    _show(rooms["games"], ann.name, opening.text, thread=False)
    await _exchange(rooms["games"], bob, "@dragoman roll 1d20", store, thread=opening.ts)


async def _exchange(room: Channel, person: User, text: str, store: Path, thread: str | None = None) -> None:
    """Say something, and show what the bot answers and how it went there."""
    said = await person.say(room, text, thread=thread)
    console.print()
    _show(room, person.name, text, thread=thread is not None)
    answer = await room.reply_to(said, timeout=20)
    _show(room, "dragoman", answer.text, thread=answer.thread_ts is not None)
    await _show_way(answer, store)


def _show(room: Channel, who: str, text: str, *, thread: bool) -> None:
    colour = "cyan" if who == "dragoman" else "green"
    place = f"#{room.name}" + (" (thread)" if thread else "")
    console.print(f"[dim]{place:<18}[/dim] [{colour} bold]{who:>8}[/{colour} bold]  ", end="")
    first, *more = text.splitlines() or [""]
    console.print(escape(first))
    for line in filter(None, more):
        console.print(" " * 29 + escape(line))


async def _show_way(answer: Message, store: Path) -> None:
    """One line: which queue served it, and the milliseconds of each hop, as the ledger has them."""
    body = await _from_ledger(answer.ts, store)
    if body is None:
        return
    hops = body["hops"]
    queue = f"dragoman.skill.{body['key'].split('|')[-2].split('.')[0]}" if body.get("run") else "router"
    queue = queue.replace("dragoman.", "demo.", 1)
    parts = [
        f"{HOPS[name]} {1000 * (at - before):.1f}"
        for (_, before), (name, at) in itertools.pairwise(hops)
        if name in HOPS
    ]
    total = 1000 * (hops[-1][1] - hops[0][1])
    console.print(" " * 29 + f"[dim]{queue}: {', '.join(parts)}; {total:.0f} ms in all[/dim]")


async def _from_ledger(ts: str, store: Path) -> dict[str, Any] | None:
    """The action that made a message; the gateway writes it a moment after Slack has it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as ledger:
            row = ledger.execute("SELECT body FROM actions WHERE sent_ids LIKE ?", (f'%"{ts}"%',)).fetchone()
        if row is not None:
            found: dict[str, Any] = json.loads(row[0])
            return found
        await asyncio.sleep(0.02)
    return None


async def _listen(room: Channel, person: User, store: Path) -> None:
    console.print(
        "\n[bold]You are Ann in #general.[/bold] Say something such as [green]@dragoman roll 2d6[/green]; "
        "an empty line ends it."
    )
    while line := (await _ask()).strip():
        said = await person.say(room, line)
        try:
            answer = await room.reply_to(said, timeout=5)
        except TimeoutError:
            console.print(
                "[dim]The bot has nothing to say to that: talk that is not addressed to it is left alone.[/dim]"
            )
            continue
        _show(room, "dragoman", answer.text, thread=False)
        await _show_way(answer, store)


async def _ask() -> str:
    """A line from the terminal; empty at its end. Read in a daemon thread, which Ctrl-C need not wait for."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def end(typed: str) -> None:
        if not line.done():
            line.set_result(typed)

    def read() -> None:
        try:
            typed = console.input("[dim]#general[/dim] [green bold]ann[/green bold]> ")
        except EOFError:
            typed = ""
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(end, typed)

    threading.Thread(target=read, daemon=True).start()
    return await line


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
