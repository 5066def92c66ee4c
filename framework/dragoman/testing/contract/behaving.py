"""The second half of the contract: an adapter on its platform."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import pytest

from ...action import ActionBase, Delete, Edit, React, Send, Sent, Target, Typing
from ...content import Content
from ...errors import AccountError, DeliveryError
from ...event import EventBase, Message
from .stage import Stage

__all__ = ["NEEDS", "Behaving"]

#: Seconds that something may take which takes a moment.
PATIENCE: Final = 20.0
#: The capability that a test needs.
NEEDS: Final[dict[str, str]] = {
    "what_could_not_be_taken_comes_again": "again",
    "what_is_said_is_shown_once_however_often_it_is_asked_for": "once",
    "a_message_is_changed_and_taken_back": "changes",
    "what_the_platform_refuses_is_not_asked_for_again": "takes_back",
    "an_emoji_is_put_on_a_message_and_taken_away": "reacts",
    "what_is_said_below_a_message_is_in_its_thread": "threads",
}
LONG: Final = " ".join(f"word{number}" for number in range(4500))[:40_000].rpartition(" ")[0]


class Behaving(ABC):
    """Tests that need a stage."""

    @abstractmethod
    def running(self) -> AbstractAsyncContextManager[Stage]:
        """A stage, on a platform that nobody else uses."""

    def test_it_says_who_it_is(self) -> None:
        async def work(stage: Stage) -> None:
            assert (await stage.adapter.check()).strip()

        self._on(work, run=False)

    def test_credentials_that_are_refused_are_an_error_that_names_the_account(self) -> None:
        async def work(stage: Stage) -> None:
            adapter = stage.refused()
            for attempt in (adapter.check(), adapter.run(_nobody, lambda: None)):
                with pytest.raises(AccountError, match=re.escape(adapter.account)):
                    await asyncio.wait_for(attempt, PATIENCE)
            await adapter.close()

        self._on(work, run=False)

    def test_what_is_said_is_heard_in_order(self) -> None:
        async def work(stage: Stage) -> None:
            for number in range(20):
                await stage.say(f"word {number}")
            await self._until(lambda: len(self._texts()) >= 20)
            assert self._texts() == [f"word {number}" for number in range(20)]
            assert len({event.key for event in self.events}) == 20

        self._on(work)

    def test_what_could_not_be_taken_comes_again(self) -> None:
        async def work(stage: Stage) -> None:
            self.refusals = 2
            await stage.say("first")
            await stage.say("second")
            await self._until(lambda: {"first", "second"} <= set(self._texts()))

        self._on(work)

    def test_a_broken_connection_is_replaced(self) -> None:
        async def work(stage: Stage) -> None:
            await stage.say("before")
            await self._until(lambda: "before" in self._texts())
            await stage.hang_up()
            await stage.say("after")
            await self._until(lambda: "after" in self._texts())

        self._on(work)

    def test_garbage_from_the_platform_ends_nothing(self) -> None:
        async def work(stage: Stage) -> None:
            await stage.garbage()
            await stage.say("still there")
            await self._until(lambda: "still there" in self._texts())

        self._on(work)

    def test_what_is_said_is_shown_once_however_often_it_is_asked_for(self) -> None:
        async def work(stage: Stage) -> None:
            said = _send(stage, "Good *morning*", "k1")
            first = await stage.adapter.perform(said)
            assert len(first.ids) == 1
            for adapter in (stage.adapter, stage.another()):
                again = await adapter.perform(said.model_copy(update={"again": True}))
                assert again.ids == first.ids
            if adapter is not stage.adapter:
                await adapter.close()
            assert await _shown(stage) == ["Good morning"]

        self._on(work)

    def test_a_message_is_changed_and_taken_back(self) -> None:
        async def work(stage: Stage) -> None:
            sent = await stage.adapter.perform(_send(stage, "one", "k1"))
            await stage.adapter.perform(_send(stage, "two", "k2"))
            target = Target(id=sent.ids[0])
            edit = Edit(key="k3", address=stage.here, target=target, content=Content(text="three"))
            await stage.adapter.perform(edit)
            await stage.adapter.perform(edit.model_copy(update={"again": True}))
            assert await _shown(stage) == ["three", "two"]
            delete = Delete(key="k4", address=stage.here, target=target)
            await stage.adapter.perform(delete)
            # It may have been done by somebody who died before they could say so.
            await stage.adapter.perform(delete.model_copy(update={"again": True}))
            assert await _shown(stage) == ["two"]

        self._on(work)

    def test_an_emoji_is_put_on_a_message_and_taken_away(self) -> None:
        async def work(stage: Stage) -> None:
            sent = await stage.adapter.perform(_send(stage, "one", "k1"))
            react = React(key="k2", address=stage.here, target=Target(id=sent.ids[0]), emoji="wave")
            for action in (react, react.model_copy(update={"again": True})):
                await stage.adapter.perform(action)
                await stage.settle()
                assert stage.reactions() == 1
            remove = react.model_copy(update={"key": "k3", "remove": True})
            for action in (remove, remove.model_copy(update={"again": True})):
                await stage.adapter.perform(action)
                await stage.settle()
                assert stage.reactions() == 0

        self._on(work)

    def test_what_is_said_below_a_message_is_in_its_thread(self) -> None:
        async def work(stage: Stage) -> None:
            above = (await stage.adapter.perform(_send(stage, "above", "k1"))).ids[0]
            said = _send(stage, "below", "k2").model_copy(update={"address": stage.here.in_thread(above)})
            first = await stage.adapter.perform(said)
            for adapter in (stage.adapter, stage.another()):
                again = await adapter.perform(said.model_copy(update={"again": True}))
                assert again.ids == first.ids
            await stage.settle()
            if adapter is not stage.adapter:
                await adapter.close()
            assert [_words(text) for text in stage.below(above)] == ["below"]

        self._on(work)

    def test_it_can_show_that_it_is_busy_where_there_is_such_a_thing(self) -> None:
        async def work(stage: Stage) -> None:
            for status in ("is typing...", ""):
                assert await stage.adapter.perform(Typing(key="k", address=stage.here, status=status)) == Sent()

        self._on(work)

    def test_a_text_of_40000_characters_arrives_whole(self) -> None:
        async def work(stage: Stage) -> None:
            sent = await stage.adapter.perform(_send(stage, LONG, "k1"))
            shown = await _shown(stage)
            assert len(sent.ids) == len(set(sent.ids)) == len(shown)
            assert " ".join(shown) == LONG

        self._on(work)

    def test_an_empty_text_is_no_error(self) -> None:
        async def work(stage: Stage) -> None:
            await stage.adapter.perform(_send(stage, "", "k1"))
            assert await _shown(stage) == []

        self._on(work)

    def test_nobody_is_called_by_what_only_looks_like_a_mention(self) -> None:
        async def work(stage: Stage) -> None:
            await stage.adapter.perform(_send(stage, "@everyone <!channel> <@U1> &amp;", "k1"))
            (text,) = await _shown(stage)
            assert "everyone" in text
            assert stage.called() == []

        self._on(work)

    def test_what_cannot_be_done_is_refused_for_good(self) -> None:
        async def work(stage: Stage) -> None:
            with pytest.raises(DeliveryError) as refused:
                await stage.adapter.perform(ActionBase(kind="sing", key="k", address=stage.here))
            assert (refused.value.code, refused.value.retry) == ("unknown_action", False)
            edit = Edit(key="k", address=stage.here, target=Target(key="never"), content=Content(text="x"))
            with pytest.raises(DeliveryError) as refused:
                await stage.adapter.perform(edit)
            assert refused.value.retry is False

        self._on(work)

    def test_what_the_platform_refuses_is_not_asked_for_again(self) -> None:
        async def work(stage: Stage) -> None:
            sent = await stage.adapter.perform(_send(stage, "one", "k1"))
            delete = Delete(key="k2", address=stage.here, target=Target(id=sent.ids[0]))
            await stage.adapter.perform(delete)
            # Another action, and the first time that it is asked for: the message is not there any more.
            with pytest.raises(DeliveryError) as refused:
                await stage.adapter.perform(delete.model_copy(update={"key": "k3"}))
            assert refused.value.retry is False
            assert refused.value.code

        self._on(work)

    def test_a_platform_that_is_away_is_asked_again_later(self) -> None:
        async def work(stage: Stage) -> None:
            adapter = stage.unreachable()
            try:
                with pytest.raises(DeliveryError) as away:
                    await asyncio.wait_for(adapter.perform(_send(stage, "hello", "k1")), PATIENCE)
                assert away.value.retry is True
            finally:
                await adapter.close()

        self._on(work, run=False)

    def test_what_it_asks_of_the_platform_can_be_seen_before(self) -> None:
        async def work(stage: Stage) -> None:
            said = _send(stage, "Good *morning*", "k1")
            assert stage.adapter.render(said) == stage.adapter.render(said)
            assert "Good" in str(stage.adapter.render(said))
            assert stage.shown() == []

        self._on(work, run=False)

    def test_who_is_not_there_is_not_found(self) -> None:
        async def work(stage: Stage) -> None:
            assert await stage.adapter.look_up_person("999999", stage.here.tenant) is None
            assert await stage.adapter.look_up_channel("#nowhere-to-be-found", stage.here.tenant) is None

        self._on(work)

    def test_it_ends_when_it_is_told_to_and_leaves_no_task(self) -> None:
        async def work(stage: Stage) -> None:
            before = asyncio.all_tasks()
            await self._begin(stage)
            await self._end()
            await stage.adapter.close()
            left = asyncio.all_tasks() - before
            if left:  # a simulator in this process may need a moment to see that the connection is closed
                _, left = await asyncio.wait(left, timeout=PATIENCE)
            assert left == set()

        self._on(work, run=False)

    def test_it_can_be_closed_twice_and_used_again(self) -> None:
        async def work(stage: Stage) -> None:
            await self._end()
            await stage.adapter.close()
            await stage.adapter.close()
            await stage.adapter.perform(_send(stage, "once more", "k1"))
            assert await _shown(stage) == ["once more"]

        self._on(work)

    # ------------------------------------------------------------------------------------------------------

    events: list[EventBase]
    refusals: int
    _changed: asyncio.Event
    _task: "asyncio.Task[None] | None"

    def _on(self, work: Callable[[Stage], Coroutine[Any, Any, None]], *, run: bool = True) -> None:
        """Do it on a stage, with the adapter running there (or not)."""
        asyncio.run(self._staged(work, run))

    async def _staged(self, work: Callable[[Stage], Coroutine[Any, Any, None]], run: bool) -> None:
        self.events, self.refusals, self._task = [], 0, None
        self._changed = asyncio.Event()
        async with self.running() as stage:
            try:
                if run:
                    await self._begin(stage)
                    await stage.begin()
                async with asyncio.timeout(3 * PATIENCE):
                    await work(stage)
            finally:
                await self._end()
                await stage.adapter.close()

    async def _begin(self, stage: Stage) -> None:
        """Let the adapter run; it is ready then."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(stage.adapter.run(self._receive, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert ready.is_set(), f"the adapter did not call ready(): {self._task}"

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _receive(self, event: EventBase) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("the ledger is away, says the test")
        if event.key not in {known.key for known in self.events}:
            self.events.append(event)
        self._changed.set()

    async def _until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _texts(self) -> list[str]:
        return [event.content.plain for event in self.events if isinstance(event, Message)]


def _send(stage: Stage, text: str, key: str) -> Send:
    return Send(key=key, address=stage.here, content=Content(text=text))


async def _shown(stage: Stage) -> list[str]:
    await stage.settle()
    return [_words(text) for text in stage.shown()]


def _words(text: str) -> str:
    """What is said, without markup and spaces of any kind."""
    return " ".join(re.findall(r"\w+", re.sub(r"[*_~\u200b\u2060]", "", text)))


async def _nobody(event: EventBase) -> None:
    raise AssertionError(f"nobody should be heard: {event}")
