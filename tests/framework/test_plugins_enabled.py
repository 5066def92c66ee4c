"""What ``[bot] plugins`` names: made with its settings, in order; a broken one is named, and the others go on."""

from collections.abc import Callable
from typing import Any

import pytest

from dragoman import Plugin, PluginError, SettingsError
from dragoman.plugins import load_plugins
from dragoman.settings import Settings
from framework.plugin_site import forgetting, plugin, site
from support.samples import message

__all__ = ["forgetting", "plugin", "site"]

PLUGIN = """
from dragoman import Plugin, PluginSettings, hookimpl
class Told(PluginSettings):
    sign: str
    times: int = 1
class Made(Plugin):
    Settings = Told
    @hookimpl
    def dragoman_event(self, event):
        return event.model_copy(update={"channel_name": self.settings.sign * self.settings.times})
"""
MODULE = """
from dragoman import hookimpl
class Holder:
    @hookimpl
    def dragoman_event(self, event): return None
Made = Holder()
"""


def bot(*plugins: str, strict: bool = True, told: dict[str, Any] | None = None) -> Settings:
    return Settings.model_validate({"bot": {"plugins": plugins, "strict": strict}, "plugins": told or {}})


def test_a_plugin_is_made_with_its_settings(plugin: Callable[[str, str], None]) -> None:
    plugin("traffic", PLUGIN)
    loaded = load_plugins(bot("traffic", told={"traffic": {"sign": "x", "times": "3"}}))
    assert loaded.names == ("acme-traffic:traffic",)
    assert loaded.event(message("hello")).channel_name == "xxx"


def test_a_plugin_may_be_any_object_with_hooks(plugin: Callable[[str, str], None]) -> None:
    plugin("traffic", MODULE)
    assert load_plugins(bot("traffic")).event(message("hello")) is None


def test_plugins_are_in_the_order_of_their_names(plugin: Callable[[str, str], None]) -> None:
    plugin("b", MODULE)
    plugin("a", MODULE)
    assert load_plugins(bot("b", "guard", "a")).names == ("acme-a:a", "acme-b:b", "dragoman:guard")


def test_a_plugin_that_is_not_enabled_is_not_imported(plugin: Callable[[str, str], None]) -> None:
    plugin("traffic", "raise RuntimeError")
    assert load_plugins(bot()).names == ()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('oh')", "is broken: RuntimeError('oh')"),
        ("Made = 5", "has no hook"),
        ("class Made: ...", "is a class, but no Plugin: derive it from dragoman.Plugin"),
        ("from dragoman import Plugin\nclass Made(Plugin): ...", "has no hook"),
        (PLUGIN.replace("self, event", "self, evnt"), "does not fit the hooks"),
        (PLUGIN.replace("dragoman_event", "dragoman_evnt"), "does not fit the hooks"),
        (PLUGIN.replace("@hookimpl", "@hookimpl(wrapper=True)").replace("return", "yield"), "cannot be a wrapper"),
        (PLUGIN.replace("dragoman_event(self, event)", "dragoman_run(self)"), "must be a wrapper"),
        (PLUGIN + "    def __init__(self, settings): raise KeyError('oh')", "cannot be made: KeyError('oh')"),
    ],
)
def test_a_broken_plugin_is_named_and_the_others_are_loaded(
    plugin: Callable[[str, str], None], source: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    plugin("traffic", source)
    told = {"traffic": {"sign": "x"}} if "sign" in source else {}
    with pytest.raises(PluginError) as caught:
        load_plugins(bot("guard", "traffic", told=told))
    assert why in str(caught.value)
    assert "acme-traffic" in str(caught.value)
    assert load_plugins(bot("guard", "traffic", strict=False, told=told)).names == ("dragoman:guard",)
    assert "acme-traffic:traffic" in caplog.text
    assert why in caplog.text


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (bot("guard", told={"guard": {"slwo": 3}}), "plugins.guard.slwo is not a setting; did you mean slow?"),
        (bot("guard", told={"guard": {"slow": -3}}), "plugins.guard.slow: Input should be greater than 0"),
        (bot("guard", told={"gaurd": {}}), "[plugins.gaurd]: no such plugin is enabled; did you mean guard?"),
    ],
)
def test_a_plugins_settings_are_verified_also_if_broken_ones_are_left_out(settings: Settings, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_plugins(settings, strict=False)
    assert why in str(caught.value)


def test_an_object_takes_no_settings(plugin: Callable[[str, str], None]) -> None:
    plugin("traffic", MODULE)
    with pytest.raises(SettingsError, match=r"\[plugins.traffic\]: .* takes no settings"):
        load_plugins(bot("traffic", told={"traffic": {"sign": "x"}}))


def test_a_plugin_that_is_not_installed_is_told_with_what_was_meant() -> None:
    with pytest.raises(PluginError, match=r"names 'gaurd', which is not installed; did you mean guard\?"):
        load_plugins(bot("gaurd", strict=False))


def test_a_plugin_without_settings_of_its_own_takes_none() -> None:
    assert Plugin.Settings.model_config["extra"] == "forbid"
