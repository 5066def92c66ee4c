"""From ``[accounts.*]`` to adapters."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from dragoman import PluginError, SettingsError
from dragoman.accounts import make_adapters
from dragoman.settings import Settings
from dragoman_console import ConsoleAdapter
from dragoman_slack import SlackAdapter
from framework.plugin_site import adapter, forgetting, site

__all__ = ["adapter", "forgetting", "site"]

SLACK = {"platform": "slack", "bot_token": "xoxb-sekret", "app_token": "xapp-sekret"}


def settings(**accounts: Mapping[str, Any]) -> Settings:
    return Settings(accounts={name: dict(account) for name, account in accounts.items()})


def test_each_account_gets_an_adapter_of_its_platform() -> None:
    made = make_adapters(settings(here={"platform": "console", "user": "ann"}, acme=SLACK, bolt=SLACK))
    assert {name: type(adapter) for name, adapter in made.items()} == {
        "here": ConsoleAdapter,
        "acme": SlackAdapter,
        "bolt": SlackAdapter,
    }
    assert made["here"].settings.user == "ann"
    assert made["acme"].account == "acme"


def test_only_the_accounts_that_are_asked_for_are_made() -> None:
    assert list(make_adapters(settings(here={"platform": "console"}, acme=SLACK), ["here"])) == ["here"]


def test_without_accounts_there_is_a_way_to_go_on() -> None:
    with pytest.raises(SettingsError, match=r"add \[accounts.NAME\].*dragoman chat"):
        make_adapters(settings())


def test_an_account_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"no account 'amce' .*\(there are: acme\)"):
        make_adapters(settings(acme=SLACK), ["amce"])


def test_a_platform_without_an_adapter_is_named() -> None:
    with pytest.raises(PluginError, match="'irc'"):
        make_adapters(settings(acme={"platform": "irc"}))


def test_a_mistake_in_an_account_is_named_with_its_place_and_without_its_values() -> None:
    with pytest.raises(SettingsError) as caught:
        make_adapters(settings(acme={**SLACK, "bot_tokn": "xoxb-sekret"}))
    assert str(caught.value) == "accounts.acme.bot_tokn is not a setting; did you mean bot_token?"
    with pytest.raises(SettingsError) as caught:
        make_adapters(settings(acme={"platform": "slack", "bot_token": ["xoxb-sekret"]}))
    assert "accounts.acme.bot_token" in str(caught.value)
    assert "sekret" not in str(caught.value)


def test_an_adapter_does_not_show_its_secrets() -> None:
    made = make_adapters(settings(acme=SLACK))["acme"]
    assert "sekret" not in repr(made.settings) + repr(made) + made.settings.model_dump_json()


def test_accounts_of_a_broken_adapter_are_left_out_and_the_others_made(
    adapter: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    adapter("teams", "raise RuntimeError('oh')")
    some = settings(here={"platform": "console"}, work={"platform": "teams"})
    assert list(make_adapters(some)) == ["here"]
    assert "acme-teams:teams (acme-teams 1.0) is broken: RuntimeError('oh')" in caplog.text
    with pytest.raises(PluginError, match="acme-teams"):
        make_adapters(some.strictly())
    with pytest.raises(PluginError, match="acme-teams"):
        make_adapters(some, ["work"])
