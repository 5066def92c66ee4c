"""The app manifest asks for what the adapter uses, and for nothing else."""

import json

import pytest

from adapters.slack.test_render import EVERY_ACTION
from dragoman_slack.app_manifest import app_manifest, bot_scopes
from dragoman_slack.groups import GROUP_EVENTS
from dragoman_slack.methods import DIRECTORY, FILES, LOOKUPS, METHODS, OPTIONAL_SCOPES
from dragoman_slack.normalise import READERS, SUBSCRIPTIONS
from dragoman_slack.render import calls, lookup


def test_it_is_json_of_the_documented_shape() -> None:
    manifest = json.loads(json.dumps(app_manifest("Ada", "Rolls dice")))
    assert manifest["display_information"] == {"name": "Ada", "description": "Rolls dice"}
    assert manifest["features"]["bot_user"]["display_name"] == "Ada"
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is False


def test_it_subscribes_to_exactly_the_events_that_are_read() -> None:
    events = app_manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert events == sorted(SUBSCRIPTIONS)
    assert {event.partition(".")[0] for event in events} == set(READERS) | GROUP_EVENTS


def test_it_asks_for_exactly_the_scopes_of_what_is_called_and_read() -> None:
    called = {call.method for action in EVERY_ACTION for call in calls(action)}
    called |= {lookup(action).method for action in EVERY_ACTION}
    assert called == {*METHODS, *LOOKUPS}
    used = {scope for method in called for scope in {**METHODS, **LOOKUPS}[method]}
    # That the directory calls exactly what is in its table is shown in test_directory.py.
    used |= {scope for scopes in (*DIRECTORY.values(), *FILES.values()) for scope in scopes}
    used |= {scope for _, scopes in SUBSCRIPTIONS.values() for scope in scopes} | {"commands"}
    assert set(app_manifest()["oauth_config"]["scopes"]["bot"]) == used == set(bot_scopes())


def test_what_can_be_done_without_is_asked_for_all_the_same() -> None:
    assert OPTIONAL_SCOPES.keys() < set(bot_scopes())


def test_slash_commands_are_in_it_if_there_are_any() -> None:
    offered = [{"command": "/roll", "description": "Roll dice", "should_escape": True}]
    assert json.loads(json.dumps(app_manifest(commands=offered)))["features"]["slash_commands"] == offered
    assert "slash_commands" not in app_manifest()["features"]


@pytest.mark.parametrize(("name", "description"), [("", "x"), ("x" * 36, "x"), ("x", "x" * 141), ("x", "")])
def test_what_slack_would_refuse_is_refused(name: str, description: str) -> None:
    with pytest.raises(ValueError, match="must have 1 to"):
        app_manifest(name, description)
