"""Filters and wrappers: their order, what they may do, and who is blamed."""

import logging
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest

from dragoman import Action, Context, DeliveryError, Event, PluginError, Send, hookimpl
from dragoman.plugin_set import PluginSet
from support.samples import message, send

CONTEXT = cast(Context, object())
SAID = (send("said"),)


class Adds:
    """Puts its mark on whatever passes."""

    def __init__(self, mark: str, seen: list[str] | None = None) -> None:
        self.mark = mark
        self.seen: list[str] = [] if seen is None else seen

    @hookimpl
    def dragoman_event(self, event: Event) -> Event | None:
        return event.model_copy(update={"channel_name": event.channel_name + self.mark})

    @hookimpl(wrapper=True)
    def dragoman_run(self) -> Generator[None, Any, Any]:
        self.seen.append(f"+{self.mark}")
        try:
            return (yield)
        finally:
            self.seen.append(f"-{self.mark}")

    @hookimpl
    def dragoman_action(self, action: Action) -> Action | None:
        assert isinstance(action, Send)
        return action.model_copy(update={"traceparent": action.traceparent + self.mark})


class Does:
    """What the test says."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    @hookimpl
    def dragoman_event(self, event: Event) -> Any:
        return self.function(event)

    @hookimpl
    def dragoman_action(self, action: Action) -> Any:
        return self.function(action)


def fail(_: object) -> None:
    raise KeyError("oh")


def test_without_plugins_everything_passes_as_it_is() -> None:
    plugins = PluginSet()
    event = message("hello")
    assert plugins.event(event) is event
    assert plugins.action(SAID[0]) is SAID[0]
    assert plugins.around(CONTEXT, lambda: SAID) is SAID
    assert plugins.names == ()


def test_plugins_come_one_after_another_each_with_what_the_one_before_has_made() -> None:
    seen: list[str] = []
    plugins = PluginSet([("a:a", Adds("a", seen)), ("b:b", Adds("b", seen)), ("c:c", Adds("c", seen))])
    assert plugins.event(message("hello")).channel_name == "abc"
    assert plugins.action(SAID[0]).traceparent == "abc"
    assert plugins.around(CONTEXT, lambda: SAID) is SAID
    assert seen == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_a_plugin_may_ask_to_be_first_or_last() -> None:
    class First(Adds):
        @hookimpl(tryfirst=True)
        def dragoman_event(self, event: Event) -> Event | None:
            return super().dragoman_event(event)

    class Last(Adds):
        @hookimpl(trylast=True)
        def dragoman_event(self, event: Event) -> Event | None:
            return super().dragoman_event(event)

    plugins = PluginSet([("a:a", Last("a")), ("b:b", Adds("b")), ("c:c", First("c"))])
    assert plugins.event(message("hello")).channel_name == "cba"


def test_an_event_that_is_dropped_is_seen_by_nobody_after() -> None:
    seen: list[Event] = []
    plugins = PluginSet([("a:a", Does(lambda _: None)), ("b:b", Does(seen.append))])
    assert plugins.event(message("hello")) is None
    assert seen == []


@pytest.mark.parametrize(
    "function",
    [fail, lambda _: "an event", lambda event: event.model_copy(update={"key": "another"})],
    ids=["raises", "another type", "another key"],
)
def test_an_event_passes_a_filter_that_fails(function: Callable[[Any], Any], caplog: pytest.LogCaptureFixture) -> None:
    plugins = PluginSet([("acme:bad", Does(function)), ("b:b", Adds("b"))])
    assert plugins.event(message("hello")).channel_name == "b"
    assert "acme:bad failed in dragoman_event" in caplog.text


def test_an_action_that_is_dropped_is_refused_with_the_plugins_name() -> None:
    with pytest.raises(DeliveryError, match=r"^acme:bad has dropped it$") as caught:
        PluginSet([("acme:bad", Does(lambda _: None))]).action(SAID[0])
    assert not caught.value.retry


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (fail, "KeyError"),
        (lambda _: "an action", "must return a Send or None, not str"),
        (lambda action: action.model_copy(update={"key": "another"}), "must not change the key"),
    ],
)
def test_an_action_is_not_performed_if_a_filter_fails(function: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(DeliveryError, match=f"acme:bad: its dragoman_action failed: .*{why}") as caught:
        PluginSet([("acme:bad", Does(function)), ("b:b", Adds("b"))]).action(SAID[0])
    assert not caught.value.retry


def test_the_mistake_of_a_handler_is_not_the_plugins() -> None:
    seen: list[str] = []
    with pytest.raises(KeyError, match="oh"):
        PluginSet([("a:a", Adds("a", seen)), ("b:b", Adds("b", seen))]).around(CONTEXT, lambda: fail(None))
    assert seen == ["+a", "+b", "-b", "-a"]


class Before:
    @hookimpl(wrapper=True)
    def dragoman_run(self, context: Context) -> Generator[None, Any, Any]:
        assert context is CONTEXT
        raise ValueError("oh")
        yield


class After:
    @hookimpl(wrapper=True)
    def dragoman_run(self) -> Generator[None, Any, Any]:
        yield
        raise ValueError("oh")


class Forgets:
    @hookimpl(wrapper=True)
    def dragoman_run(self) -> Generator[None, Any, Any]:
        yield


@pytest.mark.parametrize(
    ("plugin", "why"),
    [(Before(), "ValueError"), (After(), "ValueError"), (Forgets(), "must return what `yield` gave it")],
)
def test_the_mistake_of_a_wrapper_names_its_plugin(plugin: object, why: str) -> None:
    plugins = PluginSet([("a:a", Adds("a")), ("acme:bad", plugin), ("c:c", Adds("c"))])
    with pytest.raises(PluginError, match=f"^acme:bad: its dragoman_run .*{why}"):
        plugins.around(CONTEXT, lambda: SAID)


def test_a_wrapper_may_turn_a_failure_into_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Saves:
        @hookimpl(wrapper=True)
        def dragoman_run(self) -> Generator[None, Any, Any]:
            try:
                return (yield)
            except KeyError:
                return ()

    caplog.set_level(logging.ERROR)
    assert PluginSet([("a:a", Saves())]).around(CONTEXT, lambda: fail(None)) == ()
    assert caplog.records == []
