"""Files that the bot sends, against the simulator."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from adapters.slack.adapter_rig import Rig, rig
from dragoman import Content, Delete, DeliveryError, Edit, FileRef, React, Send, Target
from dragoman_slack import uploads
from dragoman_slack.simulator import Message

QUIET: dict[str, Any] = {"max_retries": 0}
MEGABYTES = bytes(range(256)) * 12_000


def send(r: Rig, text: str, *files: FileRef, key: str = "k", **more: Any) -> Send:
    where = more.pop("address", r.address())
    return Send(key=key, address=where, content=Content(text=text, files=files), **more)


def again(action: Send) -> Send:
    return action.model_copy(update={"again": True})


def shown(message: Message | None) -> list[tuple[str, bytes | None]]:
    assert message is not None
    return [(file.name, file.content) for file in message.files or ()]


def called(r: Rig, method: str) -> int:
    return sum(1 for call in r.slack.calls if call.method == method)


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("a.txt", b"x", "a.txt"),
        ("big.bin", MEGABYTES, "big.bin"),
        ('he said "hi".txt', b"quoted", 'he said "hi".txt'),
        ("Übersicht – 表.csv", b"1,2", "Übersicht – 表.csv"),
        ("../../etc/passwd", b"root", "passwd"),
        ("C:\\temp\\a&b.txt", b"?", "a&b.txt"),
    ],
)
async def test_what_is_sent_is_what_people_see_and_what_can_be_fetched(name: str, content: bytes, seen: str) -> None:
    async with rig() as r:
        sent = await r.adapter.perform(send(r, "", r.kept.put(name, content)))
        (message,) = r.general.said
        assert sent.ids == (message.ts,)
        assert shown(message) == [(seen, content)]
        said = await r.ann.say(r.general, "look", files=[(seen, content)])
        event = next(event for event in await r.messages(1) if event.id == said.ts)
        (file,) = event.content.files
        assert (file.name, file.size) == (seen, len(content))
        assert b"".join([piece async for piece in r.adapter.download(file)]) == content


async def test_a_file_on_disk_is_sent_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    path.write_bytes(MEGABYTES)
    async with rig(running=False) as r:
        opened: list[BinaryIO] = []

        def open_file(file: FileRef) -> BinaryIO:
            opened.append(path.open("rb"))
            return opened[-1]

        monkeypatch.setattr(r.kept, "open_file", open_file)
        await r.adapter.perform(send(r, "", FileRef(id="x", name="big.bin", blob="0" * 64)))
        assert shown(r.general.said[0]) == [("big.bin", MEGABYTES)]
        assert [source.closed for source in opened] == [True]


async def test_the_text_comes_first_and_all_files_in_one_message_below_it() -> None:
    async with rig(running=False) as r:
        root = await r.ann.say(r.general, "draw")
        files = [r.kept.put(f"{n}.txt", str(n).encode()) for n in range(3)]
        where = r.address(thread=root.ts)
        link = FileRef(id="F9", name="there", url="https://example.org/x")
        sent = await r.adapter.perform(send(r, "**three**", *files, link, address=where))
        text, shared = (r.general.find(ts) for ts in sent.ids)
        assert text is not None
        assert shared is not None
        assert text.text == "*three*\n\n<https://example.org/x|there>"
        assert shown(shared) == [("0.txt", b"0"), ("1.txt", b"1"), ("2.txt", b"2")]
        assert text.thread_ts == shared.thread_ts == root.ts
        assert text.ts < shared.ts
        # As in a channel, so in a direct conversation.
        direct = await r.adapter.perform(send(r, "", files[0], key="d", address=r.address(r.ann.dm())))
        assert shown(r.ann.dm().find(direct.ids[0])) == [("0.txt", b"0")]


async def test_a_message_with_files_can_be_reacted_to_edited_and_deleted() -> None:
    async with rig(running=False) as r:
        sent = await r.adapter.perform(send(r, "", r.kept.put("a.txt", b"a")))
        target = Target(id=sent.ids[0])
        await r.adapter.perform(React(key="r", address=r.address(), target=target, emoji="wave"))
        await r.adapter.perform(Edit(key="e", address=r.address(), target=target, content=Content(text="it")))
        (message,) = r.general.said
        assert (list(message.reactions), message.text) == (["wave"], "it")
        await r.adapter.perform(Delete(key="d", address=r.address(), target=target))
        assert not r.general.said


async def test_an_edit_adds_its_files_below() -> None:
    async with rig(running=False) as r:
        first = await r.adapter.perform(send(r, "old"))
        content = Content(text="new", files=(r.kept.put("a.txt", b"a"),))
        edit = Edit(key="e", address=r.address(), target=Target(id=first.ids[0]), content=content)
        sent = await r.adapter.perform(edit)
        text, shared = r.general.said
        assert (text.text, shown(shared)) == ("new", [("a.txt", b"a")])
        assert sent.ids == (text.ts, shared.ts)
        assert await r.adapter.perform(edit.model_copy(update={"again": True})) == sent
        assert len(r.general.said) == 2


async def test_it_waits_until_slack_has_looked_through_the_files() -> None:
    async with rig(running=False) as r:
        r.acme.scanning = True
        sending = asyncio.create_task(r.adapter.perform(send(r, "", r.kept.put("a.txt", b"a"))))
        await r.slack.until(lambda: called(r, "files.info"))
        assert not sending.done()
        r.acme.scanned()
        assert (await sending).ids == (r.general.said[0].ts,)


@pytest.mark.parametrize("scope", ["files:read", ""])
async def test_what_slack_takes_long_for_is_not_shared_again(scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.05)
    async with rig(running=False) as r:
        r.acme.app.scopes.discard(scope)
        r.acme.scanning = True
        action = send(r, "see", r.kept.put("a.txt", b"a"), hops=(("slack", 1.0),))
        for attempt in (action, again(action)):
            with pytest.raises(DeliveryError, match=r"looking through 'a\.txt'") as caught:
                await r.adapter.perform(attempt)
            assert (caught.value.code, caught.value.retry) == ("share_pending", True)
        r.acme.scanned()
        sent = await r.another().perform(again(action))
        assert sent.ids == tuple(message.ts for message in r.general.said)
        assert len(sent.ids) == 2
        assert called(r, "files.completeUploadExternal") == 1


async def test_what_slack_took_just_before_a_crash_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.05)
    async with rig(running=False, settings=QUIET) as r:
        r.acme.scanning = True
        action = send(r, "", r.kept.put("a.txt", b"a"))
        r.slack.fail("files.completeUploadExternal", status=500, performed=True)
        with pytest.raises(DeliveryError, match="service_unavailable"):
            await r.adapter.perform(action)
        with pytest.raises(DeliveryError, match="looking through"):
            await r.another().perform(again(action))
        r.acme.scanned()
        sent = await r.another().perform(again(action))
        assert sent.ids == tuple(message.ts for message in r.general.said)
        assert len(sent.ids) == 1


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.05)
    async with rig(running=False) as r:
        r.acme.scanning = True
        action = send(r, "see", r.kept.put("a.txt", b"a"))
        with pytest.raises(DeliveryError):
            await r.adapter.perform(action)
        monkeypatch.setattr(uploads, "GIVEN_UP", -1.0)
        assert (await r.adapter.perform(again(action))).ids == (r.general.said[0].ts,)
        assert "nobody waits any more" in caplog.text


#: What broke: the address, whether Slack had done it before, and how many messages stood there then.
STEPS = [
    ("files.getUploadURLExternal", False, 0),
    ("files.getUploadURLExternal", True, 0),
    ("upload", False, 0),
    ("chat.postMessage", False, 0),
    ("chat.postMessage", True, 1),
    ("files.completeUploadExternal", False, 1),
    ("files.completeUploadExternal", True, 2),
    ("files.info", False, 2),
]


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("scope", ["files:read", ""])
@pytest.mark.parametrize(("step", "performed", "stood"), STEPS)
async def test_a_send_that_broke_at_any_step_is_finished_once(
    step: str, performed: bool, stood: int, scope: str, thread: bool
) -> None:
    async with rig(running=False, settings=QUIET) as r:
        r.acme.app.scopes.discard(scope)
        root = await r.ann.say(r.general, "draw")
        files = [r.kept.put(f"{n}.txt", str(n).encode()) for n in range(2)]
        where = r.address(thread=root.ts if thread else None)
        action = send(r, "see", *files, address=where, hops=(("slack", 1.0),))
        r.slack.fail(step, status=500, performed=performed)
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.perform(action)
        assert caught.value.retry
        assert len(r.general.said) == stood
        r.slack.recover()
        adapter = r.another()
        sent = await adapter.perform(again(action))
        text, shared = r.general.said
        assert sent.ids == (text.ts, shared.ts)
        assert (text.text, shown(shared)) == ("see", [("0.txt", b"0"), ("1.txt", b"1")])
        assert await adapter.perform(again(action)) == sent
        assert len(r.general.said) == 2


async def test_what_slack_has_dropped_is_uploaded_again() -> None:
    async with rig(running=False, settings=QUIET) as r:
        action = send(r, "", r.kept.put("a.txt", b"a"))
        r.slack.hang_up("files.completeUploadExternal")
        with pytest.raises(DeliveryError):
            await r.adapter.perform(action)
        r.acme.tickets.clear()
        sent = await r.adapter.perform(again(action))
        (message,) = r.general.said
        assert (sent.ids, shown(message)) == ((message.ts,), [("a.txt", b"a")])


async def test_the_same_file_sent_twice_is_two_messages() -> None:
    async with rig(running=False) as r:
        file = r.kept.put("a.txt", b"a")
        first = await r.adapter.perform(send(r, "", file, key="one"))
        second = await r.adapter.perform(send(r, "", file, key="two", again=True))
        assert first.ids != second.ids
        assert [message.ts for message in r.general.said] == [*first.ids, *second.ids]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"file_limit": 2}, "file_upload_size_restricted", "larger than the workspace allows"),
        ({"uploads_disabled": True}, "file_uploads_disabled", "nobody may upload"),
    ],
)
async def test_a_file_that_slack_refuses_is_named_and_nothing_is_said(
    change: Mapping[str, Any], code: str, said: str
) -> None:
    async with rig(running=False) as r:
        for name, value in change.items():
            setattr(r.acme, name, value)
        with pytest.raises(DeliveryError, match=rf"'pie\.png' was not taken: .*{code}: .*{said}") as caught:
            await r.adapter.perform(send(r, "see", r.kept.put("pie.png", b"pie")))
        assert (caught.value.code, caught.value.retry) == (code, False)
        assert not r.general.said


async def test_a_file_without_bytes_is_refused_before_slack_is_asked() -> None:
    async with rig(running=False) as r:
        with pytest.raises(DeliveryError, match=r"'empty\.txt' .*without any bytes") as caught:
            await r.adapter.perform(send(r, "see", r.kept.put("empty.txt", b"")))
        assert (caught.value.code, caught.value.retry) == ("empty_file", False)
        assert not r.general.said
        assert not called(r, "files.getUploadURLExternal")


async def test_a_missing_scope_is_named_and_a_text_without_files_goes_all_the_same() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes.discard("files:write")
        with pytest.raises(DeliveryError, match=r"'a\.txt' .*lacks the scope files:write") as caught:
            await r.adapter.perform(send(r, "see", r.kept.put("a.txt", b"a")))
        assert (caught.value.code, caught.value.retry) == ("missing_scope", False)
        await r.adapter.perform(send(r, "only words", key="k2"))
        assert [message.text for message in r.general.said] == ["only words"]


async def test_a_file_that_is_not_kept_any_more_is_named() -> None:
    async with rig(running=False) as r:
        with pytest.raises(DeliveryError, match=r"a\.txt") as caught:
            await r.adapter.perform(send(r, "", FileRef(id="x", name="a.txt", blob="0" * 64)))
        assert (caught.value.code, caught.value.retry) == ("no_file", False)


@pytest.mark.parametrize(("status", "retry"), [(413, False), (400, False), (429, True), (503, True)])
async def test_a_refused_upload_says_whether_trying_again_may_help(status: int, retry: bool) -> None:
    async with rig(running=False, settings=QUIET) as r:
        r.slack.fail("upload", status=status)
        with pytest.raises(DeliveryError, match=rf"'a\.txt' was not taken: .*HTTP {status}") as caught:
            await r.adapter.perform(send(r, "", r.kept.put("a.txt", b"a")))
        assert caught.value.retry is retry


async def test_the_token_does_not_go_to_the_address_of_the_upload() -> None:
    async with rig(running=False) as r:
        await r.adapter.perform(send(r, "", r.kept.put("a.txt", b"a")))
        (upload,) = [call for call in r.slack.calls if call.method == "upload"]
        assert "Authorization" not in upload.args
        assert r.acme.app.bot_token not in str(upload.args)
