"""Files on their way out: with messages, edits and answers to slash commands."""

import logging
from typing import Any

import pytest

from adapters.discord import spec_published
from adapters.discord.adapter_rig import Rig, make
from adapters.discord.keeping_rig import Store, restarts
from dragoman import Content, DeliveryError, Edit, FileRef, Send, SlashCommand, Target, action_key

CREATE = "POST /channels/{channel_id}/messages"
NAMES = [
    "plan.txt",
    'say "hi".txt',
    "größe 画.png",
    "../../etc/passwd",
    "C:\\temp\\x.bin",
    "SPOILER_x.png",
    "a;b=c.txt",
]


def send(r: Rig, text: str, *files: FileRef, key: str = "k", **more: Any) -> Send:
    address = more.pop("address", r.address())
    return Send(key=key, address=address, content=Content(text=text, files=files), **more)


def holds(r: Rig) -> None:
    """All calls were as Discord publishes them, if the document is there."""
    document = spec_published.published()
    problems = [] if document is None else [each for call in r.discord.calls for each in document.problems(call)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("data", [b"x", b"", bytes(range(256)) * 12_288], ids=["1 byte", "0 bytes", "3 MB"])
async def test_bytes_come_back_as_they_went(data: bytes) -> None:
    async with restarts() as (r, store):
        sent = await r.adapter.perform(send(r, "see", store.put("a.bin", data)))
        [message] = r.general.said
        assert (message.id, message.content) == (sent.ids[0], "see")
        [attachment] = message.attachments
        assert attachment.content == data
        fetched = FileRef(id=attachment.id, name="a.bin", url=attachment.url, size=len(data))
        assert b"".join([piece async for piece in r.adapter.download(fetched)]) == data
        holds(r)


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_what_they_were_without_their_folders(name: str) -> None:
    from dragoman_discord.attachments import given_name

    async with restarts() as (r, store):
        await r.adapter.perform(send(r, "", store.put(name, b"x")))
        [attachment] = r.general.said[0].attachments
        assert given_name(attachment.payload()) == name.replace("\\", "/").rpartition("/")[2]
        assert attachment.content == b"x"
        holds(r)


async def test_files_go_with_the_last_part_and_more_than_ten_make_more_messages() -> None:
    async with restarts() as (r, store):
        files = [store.put(f"{number}.txt", b"%d" % number) for number in range(23)]
        action = send(r, "word " * 450, *files)
        sent = await r.adapter.perform(action)
        assert [len(message.attachments) for message in r.general.said] == [0, 10, 10, 3]
        assert sent.ids == tuple(message.id for message in r.general.said)
        names = [file.name for message in r.general.said for file in message.attachments]
        assert names == [file.name for file in files]
        assert len({message.nonce for message in r.general.said}) == 4
        shown = r.adapter.render(action)
        assert [call.get("files", []) for call in shown] == [[], names[:10], names[10:20], names[20:]]
        assert shown[1]["json"]["attachments"][3] == {"id": "3", "filename": "3.txt"}
        holds(r)


async def test_files_that_are_too_large_together_go_apart() -> None:
    async with restarts() as (r, store):
        big = bytes(13 * 1024 * 1024)
        await r.adapter.perform(send(r, "", store.put("a", big), store.put("b", big)))
        assert [[file.name for file in message.attachments] for message in r.general.said] == [["a"], ["b"]]


async def test_files_without_bytes_here_are_links() -> None:
    async with restarts() as (r, store):
        link = FileRef(id="1", name="far.txt", url="https://x.y/z")
        await r.adapter.perform(send(r, "see", link, store.put("near.txt", b"x")))
        [message] = r.general.said
        assert message.content == "see\n\n[far.txt](<https://x.y/z>)"
        assert [file.name for file in message.attachments] == ["near.txt"]


async def test_a_file_that_is_too_large_is_named_and_not_tried_again() -> None:
    async with restarts(largest_file=1000) as (r, store):
        files = [store.put("small.txt", b"x"), store.put("big.bin", b"x" * 1001)]
        with pytest.raises(DeliveryError, match=r"'big.bin' \(0.0 MiB\).*20 MiB.*boosts") as caught:
            await r.adapter.perform(send(r, "see", *files))
        assert (caught.value.code, caught.value.retry) == ("40005", False)
        assert r.general.said == []


async def test_a_file_whose_bytes_are_gone_is_named() -> None:
    async with restarts() as (r, _):
        gone = FileRef(id="1", name="gone.txt", blob="b" * 64)
        with pytest.raises(DeliveryError, match=r"'gone.txt'"):
            await r.adapter.perform(send(r, "see", gone))


async def test_an_upload_that_was_interrupted_begins_anew() -> None:
    async with restarts() as (r, store):
        r.discord.fail(CREATE, status=502)
        await r.adapter.perform(send(r, "see", store.put("a.bin", b"x" * 100_000)))
        [message] = r.general.said
        assert message.attachments[0].content == b"x" * 100_000


async def test_an_upload_whose_answer_was_lost_is_found_by_the_next_process() -> None:
    async with restarts() as (r, store):
        files = [store.put(f"ü {number}.txt", b"%d" % number) for number in range(12)]
        # The same words without files are another message.
        await r.adapter.perform(send(r, "see", key="other"))
        r.discord.hang_up(CREATE, performed=True)
        with pytest.raises(DeliveryError, match="no answer"):
            await r.adapter.perform(send(r, "see", *files))
        r.discord.advance(1000)  # the nonce is forgotten
        for message in r.general.said:
            message.nonce = None
        restarted = make(r.discord)
        restarted.services = store
        sent = await restarted.perform(send(r, "see", *files, again=True))
        await restarted.close()
        assert [len(message.attachments) for message in r.general.said] == [0, 10, 2]
        assert sent.ids == tuple(message.id for message in r.general.said[1:])


async def test_an_edit_keeps_the_files_and_adds_those_that_it_has_once() -> None:
    async with restarts() as (r, store):
        sent = await r.adapter.perform(send(r, "see", store.put("a.txt", b"a")))
        [message] = r.general.said

        def edit(text: str, *files: FileRef, again: bool = False) -> Edit:
            content = Content(text=text, files=files)
            return Edit(key="e", address=r.address(), target=Target(id=sent.ids[0]), content=content, again=again)

        await r.adapter.perform(edit("changed"))
        assert (message.content, [file.name for file in message.attachments]) == ("changed", ["a.txt"])
        more = edit("more", store.put("b.txt", b"bb"))
        await r.adapter.perform(more)
        assert (message.content, [file.content for file in message.attachments]) == ("more", [b"a", b"bb"])
        assert r.adapter.render(more)[0]["files"] == ["b.txt"]
        await r.adapter.perform(edit("more", store.put("b.txt", b"bb"), again=True))
        assert [file.content for file in message.attachments] == [b"a", b"bb"]
        await r.adapter.perform(edit("", store.put("c.txt", b"ccc")))
        assert (message.content, len(message.attachments)) == ("", 3)
        holds(r)


async def used(r: Rig, store: Store) -> tuple[Any, SlashCommand, Any]:
    from adapters.discord.keeping_rig import Process

    process = await Process(r, store).until_ready()
    api = r.app.commands
    if not api:
        from dragoman import Context, Skill

        skill = Skill("dice")

        @skill.command()
        def roll(ctx: Context) -> str:
            """Roll the dice."""
            return ""

        await process.adapter.offer([skill.manifest()])
    interaction = await r.ann.slash(r.general, "roll")
    await r.discord.until(lambda: any(isinstance(event, SlashCommand) for event in r.events))
    event = next(event for event in r.events if isinstance(event, SlashCommand))
    return process, event, interaction


@pytest.mark.parametrize("patience", [1.5, 0.0], ids=["response", "deferred"])
async def test_answers_to_a_slash_command_have_files(patience: float, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with restarts() as (r, store):
            process, event, interaction = await used(r, store)
            if not patience:
                await process.adapter._interactions.defer(process.adapter._interactions.find(event.key, r.general.id))
            for ordinal, text in enumerate(("see", "")):
                file = store.put(f"{ordinal}.txt", b"%d" % ordinal)
                key = action_key(event.key, "dice.roll", ordinal)
                sent = await process.adapter.perform(send(r, text, file, key=key, ordinal=ordinal))
                assert sent.ids == (interaction.said[ordinal].id,)
            assert [[file.content for file in message.attachments] for message in interaction.said] == [[b"0"], [b"1"]]
            assert interaction.callback == (4 if patience else 5)
            holds(r)
            await process.stop()
            assert interaction.token not in caplog.text
