"""A Slack message goes all the way round: real websocket, real processes, each broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for


@contextlib.asynccontextmanager
async def running(bot: RunningBot) -> AsyncIterator[RunningBot]:
    await asyncio.to_thread(bot.__enter__)
    try:
        yield bot
    finally:
        await asyncio.to_thread(bot.stop)


async def test_a_conversation_with_two_workspaces(broker_url: str, namespace: str, tmp_path: Path) -> None:
    """One bot is started for all of these, since a start takes seconds."""
    async with SlackSimulator() as slack:
        acme, umbrella = slack.workspace("acme"), slack.workspace("umbrella")
        ann, bob = acme.user("ann"), umbrella.user("bob")
        general = acme.channel("general", members=[ann])
        theirs = umbrella.channel("general", members=[bob])
        toml = settings_for(slack, {"acme": acme, "umbrella": umbrella}, broker=broker_url, name=namespace)
        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(2, timeout=40)

            # In a thread, the answer comes in that thread.
            opening = await ann.say(general, "who begins?")
            asked = await ann.say(general, "@dragoman roll 2d6", thread=opening.ts)
            answer = await general.reply_to(asked, timeout=30)
            assert answer.thread_ts == opening.ts
            assert "🎲" in answer.text

            # Ten people in ten channels at once each get their own.
            people = [acme.user(f"person-{n}") for n in range(10)]
            rooms = [acme.channel(f"room-{n}", members=[person]) for n, person in enumerate(people)]
            said = await asyncio.gather(
                *(p.say(r, f"@dragoman echo for {p.name}") for p, r in zip(people, rooms, strict=True))
            )
            for person, room, message in zip(people, rooms, said, strict=True):
                assert (await room.reply_to(message, timeout=30)).text == f"echo for {person.name}"
            assert all(len(room.said) == 1 for room in rooms)

            # The same words in two workspaces are two messages, and each is answered where it was said.
            ours, other = await asyncio.gather(
                ann.say(general, "@dragoman echo in acme"), bob.say(theirs, "@dragoman echo in umbrella")
            )
            assert (await general.reply_to(ours, timeout=30)).text == "echo in acme"
            assert (await theirs.reply_to(other, timeout=30)).text == "echo in umbrella"
            assert not [m for m in theirs.said if "acme" in m.text]
            assert not [m for m in general.said if "umbrella" in m.text]

            # A direct message needs no mention.
            direct = await ann.say(ann.dm(), "echo privately")
            assert (await ann.dm().reply_to(direct, timeout=30)).text == "echo privately"

            # The same delivered again is not answered again; what comes after it is.
            slack.redeliver(ours)
            after = await ann.say(general, "@dragoman echo after")
            assert (await general.reply_to(after, timeout=30)).text == "echo after"
            assert [m.text for m in general.said].count("echo in acme") == 1

            # An unknown command said to the bot is answered; talk that is not said to it is left alone.
            await ann.say(general, "ecko something")
            wrong = await ann.say(general, "@dragoman ecko something")
            assert "Did you mean `echo`" in (await general.reply_to(wrong, timeout=30)).text
            assert len([m for m in general.said if "ecko" in m.text]) == 1

            # A text of 40,000 characters is answered in full, in parts.
            words = " ".join(f"w{n}" for n in range(6500))
            long = await people[0].say(rooms[0], f"@dragoman echo {words}"[:39000])
            await rooms[0].reply_to(long, timeout=30)
            wanted = long.text.split("echo ", 1)[1].split()
            await slack.until(lambda: " ".join(m.text for m in rooms[0].said[1:]).split()[1:] == wanted, timeout=30)

            # A skill that fails: a plain sentence with a reference, and the traceback in the log under it.
            broken = await ann.say(general, "@dragoman fail")
            apology = (await general.reply_to(broken, timeout=40)).text
            reference = apology.rsplit("`", 2)[1]
            assert "Traceback" not in apology
            assert "attempt" not in apology
            log = bot.logged()
            assert [f"failed in attempt {n} (reference {reference}" in log for n in (1, 2, 3)] == [True] * 3
            assert "failed in attempt 4" not in log
            assert "RuntimeError: attempt 3 failed" in log
            assert "Traceback (most recent call last)" in log

            # A command with a prefix is a question too.
            await ann.say(general, "!fail")
            await slack.until(lambda: sum("reference" in m.text for m in general.said) == 2, timeout=40)

            # The rest is as it was.
            last = await ann.say(general, "@dragoman help")
            assert "echo" in (await general.reply_to(last, timeout=30)).text


async def test_a_wrong_token_ends_the_bot_with_a_clear_error(tmp_path: Path, namespace: str) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace)
        wrong = toml.replace(acme.app.bot_token, acme.app.bot_token[:-3] + "000")
        bot = RunningBot(tmp_path, wrong)
        await asyncio.to_thread(bot.__enter__)
        assert bot.process is not None
        status = await asyncio.to_thread(bot.process.wait, 40)
        log = bot.logged()
        assert status == 78
        assert "acme" in log
        assert "bot_token" in log
        assert "invalid_auth" in log
        assert acme.app.bot_token[:-3] not in log


async def test_no_secret_is_in_the_log_or_in_the_ledger(tmp_path: Path, namespace: str) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace)
        bot = RunningBot(tmp_path, toml)
        async with running(bot):
            await slack.connected(timeout=40)
            await general.reply_to(await ann.say(general, "@dragoman roll"), timeout=30)
        written = [bot.log, *(tmp_path / ".dragoman").rglob("*")]
        for token in (acme.app.bot_token, acme.app.app_token):
            for file in written:
                if file.is_file():
                    assert token.encode() not in file.read_bytes(), file
