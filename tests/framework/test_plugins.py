"""Finding and loading plugins; a broken one is blamed by its name, and the others go on."""

import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from dragoman import PluginError, SkillError
from dragoman.plugins import ADAPTERS, SKILLS, discover, load_adapters, load_commands, load_skills
from framework.distributions import SKILL, install
from framework.plugin_site import Install, adapter, forgetting, local, site, skill

__all__ = ["adapter", "forgetting", "local", "site", "skill"]


def refused(*enabled: str, folder: Path | None = None) -> str:
    with pytest.raises(PluginError) as caught:
        load_skills(enabled, folder)
    return str(caught.value)


# -- discovery ----------------------------------------------------------------------------------------


def test_the_bundled_plugins_are_found_with_where_they_come_from() -> None:
    assert {"help", "dice"} <= {found.name for found in discover(SKILLS)}
    assert {"console", "slack"} <= {found.name for found in discover(ADAPTERS)}
    (console,) = [found for found in discover(ADAPTERS) if found.name == "console"]
    assert console.plugin_name == "dragoman:console"
    assert console.origin.startswith("dragoman ")


def test_a_third_partys_skill_is_found_and_not_imported(skill: Install) -> None:
    module = skill("acme-weather", "weather")
    (found,) = [found for found in discover(SKILLS) if found.name == "weather"]
    assert (found.origin, found.plugin_name) == ("acme-weather 1.0", "acme-weather:weather")
    assert module not in sys.modules


def test_two_distributions_with_the_same_name_are_both_named(skill: Install) -> None:
    skill("acme-weather", "weather")
    skill("bolt-weather", "weather")
    assert list(load_skills(["dice"])) == ["dice"], "nobody asked for it"
    told = refused("weather")
    assert "'weather' is provided by " in told
    assert "acme-weather 1.0" in told
    assert "bolt-weather 1.0" in told


def test_a_leftover_of_an_older_version_is_no_conflict(site: Path, skill: Install, tmp_path: Path) -> None:
    module = skill("acme-weather", "weather")
    older = tmp_path / "older"
    install(older, "acme-weather", {}, {SKILLS: {"weather": f"{module}:skill"}}, version="0.9")
    sys.path.append(str(older))
    try:
        assert [found.origin for found in discover(SKILLS) if found.name == "weather"] == ["acme-weather 1.0"]
    finally:
        sys.path.remove(str(older))


# -- skills -------------------------------------------------------------------------------------------


def test_discovered_is_not_enabled(skill: Install) -> None:
    module = skill("acme-weather", "weather")
    assert list(load_skills(["dice", "help"])) == ["dice", "help"]
    assert module not in sys.modules
    loaded = load_skills(["weather"])
    assert list(loaded) == ["weather"]
    assert loaded["weather"].origin == "acme-weather 1.0"


def test_a_broken_skill_that_is_not_enabled_disturbs_nobody(skill: Install) -> None:
    skill("acme-weather", "weather", "raise RuntimeError('no key')")
    assert list(load_skills(["dice"])) == ["dice"]


def test_a_skill_that_is_not_installed_is_named_with_those_that_are() -> None:
    told = refused("weather")
    assert told.startswith("bot.skills names 'weather', which is not installed (installed: bridge, dice, help")
    with pytest.raises(PluginError, match=r"names 'dcie', which is not installed; did you mean dice\?"):
        load_skills(["dcie"], strict=False)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('no key')", "is broken: RuntimeError('no key')"),
        ("def (", "is broken: SyntaxError"),
        ("import no_such_module_anywhere", "cannot be imported: No module named 'no_such_module_anywhere'"),
        ("other = 1", "is broken: AttributeError"),
        ("raise SystemExit(3)", "is broken: SystemExit(3)"),
        ("from dragoman import Skill\nskill = Skill('No Name')", "is broken: SkillError"),
        ("skill = 5", "has no hook: its entry point should name a Skill"),
        (
            "from dragoman import hookimpl\nclass P:\n @hookimpl\n def dragoman_skils(self): ...\nskill = P()",
            "does not fit the hooks",
        ),
        (
            "from dragoman import hookimpl\nclass P:\n @hookimpl\n def dragoman_skills(self): return [5]\nskill = P()",
            "must return Skill objects, not int",
        ),
        (
            "from dragoman import hookimpl\nclass P:\n @hookimpl\n def dragoman_skills(self): return None\nskill = P()",
            "its hook failed: TypeError",
        ),
        (
            "from dragoman import hookimpl\nclass P:\n @hookimpl\n def dragoman_skills(self): raise KeyError('x')\n"
            "skill = P()",
            "its hook failed: KeyError('x')",
        ),
    ],
)
def test_a_broken_plugin_is_blamed_by_its_name(skill: Install, source: str, why: str) -> None:
    skill("acme-weather", "weather", source)
    told = refused("dice", "weather")
    assert why in told
    assert "acme-weather" in told
    problems: dict[str, str] = {}
    assert list(load_skills(["dice", "weather"], strict=False, problems=problems)) == ["dice"]
    assert problems == {"acme-weather:weather": told}


def test_a_broken_skill_is_logged_and_the_others_are_loaded(skill: Install, caplog: pytest.LogCaptureFixture) -> None:
    skill("acme-weather", "weather", "raise RuntimeError('no key')")
    assert list(load_skills(["dice", "weather"], strict=False)) == ["dice"]
    assert "acme-weather:weather (acme-weather 1.0) is broken: RuntimeError('no key')" in caplog.text


def test_a_module_with_a_hook_may_provide_several_skills(skill: Install) -> None:
    source = (
        "from dragoman import Skill, hookimpl\none, two = Skill('one'), Skill('two')\n"
        "@hookimpl\ndef dragoman_skills():\n    return [one, two]\n"
    )
    skill("acme-several", "several", source, attribute="")
    loaded = load_skills(["several"])
    assert list(loaded) == ["one", "two"]
    assert {found.origin for found in loaded.values()} == {"acme-several 1.0"}


def test_two_skills_of_one_name_are_both_blamed(skill: Install) -> None:
    skill("acme-weather", "weather", SKILL.format(name="dice"))
    told = refused("dice", "weather")
    assert "the skill 'dice' is in " in told
    assert "acme-weather 1.0" in told
    assert "dragoman " in told


# -- a folder of the bot's own ------------------------------------------------------------------------


def test_local_skills_need_no_packaging_and_are_always_enabled(local: Callable[..., Path]) -> None:
    folder = local(mine=SKILL.format(name="mine"), _private="raise RuntimeError", more=SKILL.format(name="more"))
    loaded = load_skills([], folder)
    assert list(loaded) == ["mine", "more"]
    assert loaded["mine"].origin == "mine.py"


def test_one_file_may_have_several_skills_and_import_one(local: Callable[..., Path]) -> None:
    source = "from dragoman import Skill\nfrom dragoman_dice import skill as dice\na, b = Skill('a'), Skill('b')\n"
    assert list(load_skills(["dice"], local(several=source))) == ["a", "b", "dice"]


def test_a_folder_that_is_not_there_has_no_skills(tmp_path: Path) -> None:
    assert load_skills([], tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('oh')", "is broken in line 1, `raise RuntimeError('oh')`: RuntimeError: oh"),
        ("def (", "`def (`: SyntaxError"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("raise SystemExit", "SystemExit"),
        ("from dragoman import Skill\na, b = Skill('x'), Skill('x')", "the skill 'x' is twice in mine.py"),
        (SKILL.format(name="dice"), "the skill 'dice' is in "),
    ],
)
def test_a_broken_local_file_is_blamed_by_its_name(local: Callable[..., Path], source: str, why: str) -> None:
    folder = local(mine=source, other=SKILL.format(name="other"))
    told = refused("dice", folder=folder)
    assert why in told
    assert "mine.py" in told
    problems: dict[str, str] = {}
    assert list(load_skills(["dice"], folder, strict=False, problems=problems)) == ["dice", "other"]
    assert problems == {"mine.py": told}


def test_a_local_file_that_is_mended_can_be_loaded_again(local: Callable[..., Path]) -> None:
    folder = local(mine="raise RuntimeError")
    refused(folder=folder)
    assert not {"mine", "dragoman_local_mine"} & sys.modules.keys()
    (folder / "mine.py").write_text(SKILL.format(name="mine") + "# mended\n")
    invalidate_caches()
    assert list(load_skills([], folder)) == ["mine"]


# -- adapters -----------------------------------------------------------------------------------------

ADAPTER = """
from dragoman import Adapter
class Made(Adapter):
    platform = {platform!r}
    async def check(self): return ""
    async def run(self, receive, ready): ...
    async def perform(self, action): ...
"""


def test_only_the_adapters_that_are_asked_for_are_loaded(adapter: Callable[[str, str], None]) -> None:
    adapter("teams", "raise RuntimeError")
    assert list(load_adapters(["console"])) == ["console"]
    assert load_adapters([]) == {}


def test_a_third_partys_adapter_is_loaded(adapter: Callable[[str, str], None]) -> None:
    adapter("teams", ADAPTER.format(platform="teams"))
    assert load_adapters(["teams"])["teams"].platform == "teams"


def test_a_platform_without_an_adapter_is_named_with_those_that_have_one() -> None:
    with pytest.raises(PluginError, match=r"'irc': there is no such adapter \(installed: console, discord, slack"):
        load_adapters(["irc"])
    with pytest.raises(PluginError, match=r"'slakc': there is no such adapter; did you mean slack\?"):
        load_adapters(["slakc"], strict=False)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('oh')", "is broken: RuntimeError('oh')"),
        ("Made = 5", "has no hook"),
        (ADAPTER.format(platform="msteams"), "provides no adapter with platform = 'teams'"),
        (
            "from dragoman import hookimpl\nclass P:\n @hookimpl\n def dragoman_adapters(self): return [5]\nMade = P()",
            "must return Adapter subclasses",
        ),
    ],
)
def test_a_broken_adapter_is_blamed_by_its_name(adapter: Callable[[str, str], None], source: str, why: str) -> None:
    adapter("teams", source)
    with pytest.raises(PluginError) as caught:
        load_adapters(["teams"])
    assert why in str(caught.value)
    assert "acme-teams" in str(caught.value)
    problems: dict[str, str] = {}
    assert list(load_adapters(["teams", "console"], strict=False, problems=problems)) == ["console"]
    assert problems == {"acme-teams:teams": str(caught.value)}


# -- commands -----------------------------------------------------------------------------------------


def test_an_adapter_or_a_plugin_may_bring_commands() -> None:
    assert "slack" in load_commands("slack")
    assert list(load_commands("guard")) == ["guard"]
    assert load_commands("no-such-adapter") == {}


def test_the_helper_of_this_test_makes_what_python_takes_for_installed(site: Path, skill: Install) -> None:
    assert issubclass(SkillError, Exception)
    assert import_module(skill("acme-weather", "weather")).skill.name == "weather"
