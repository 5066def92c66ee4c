"""No hook without a user in the tree, and none without its description."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import dragoman_dice
from dragoman.hooks import Hooks
from dragoman.plugin_set import new_manager
from dragoman.plugins import ADAPTERS, PLUGINS, SKILLS, discover, hooks_of

HOOKS: dict[str, Callable[..., Any]] = dict(inspect.getmembers(Hooks, inspect.isfunction))
#: What comes with Dragoman.
BUNDLED = [
    found for group in (SKILLS, ADAPTERS, PLUGINS) for found in discover(group) if found.origin.startswith("dragoman ")
]


def test_every_hook_has_a_real_user() -> None:
    used = {hook for found in BUNDLED for hook in hooks_of(found.load())}
    assert used == HOOKS.keys()


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_it_is_called_and_where(name: str) -> None:
    text = inspect.getdoc(HOOKS[name]) or ""
    assert "Called" in text, "when?"
    assert any(word in text for word in ("worker", "gateway", "router", "command line")), "in which process?"
    assert "rror" in text or "fails" in text, "and if it fails?"
    assert "dragoman.skills" in text or "dragoman.adapters" in text or "dragoman.plugins" in text, "in which group?"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_typed_parameters_and_a_typed_result(name: str) -> None:
    signature = inspect.signature(HOOKS[name])
    assert signature.return_annotation is not signature.empty
    assert all(p.annotation is not p.empty for p in list(signature.parameters.values())[1:])


def test_every_hook_is_known_to_pluggy() -> None:
    manager = new_manager()
    assert {name for name in vars(manager.hook) if name.startswith("dragoman_")} == HOOKS.keys()


def test_the_hooks_of_a_plugin_are_told_in_order() -> None:
    assert hooks_of(dragoman_dice.skill) == ("dragoman_skills",)
    assert hooks_of(object()) == ()
