"""``[skills.bridge]``: what is wrong with it is said at the start."""

import json
import re
from pathlib import Path

import pytest

from dragoman import Address, SettingsError
from dragoman.settings import load
from dragoman_bridge import BridgeSettings

ACCOUNTS = """
[accounts.acme]
platform = "slack"
[accounts.guild]
platform = "discord"
"""


def read(tmp_path: Path, written: str) -> BridgeSettings:
    file = tmp_path / "dragoman.toml"
    file.write_text(ACCOUNTS + written, encoding="utf-8")
    return load(file, environ={}).validate_skill("bridge", BridgeSettings)


def test_the_settings_of_a_file_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, '[[skills.bridge.bridges]]\nchannels = ["acme:#general", "guild:7", "1:acme/T1/C1"]\n')
    assert [place.address for place in found.bridges[0].places] == [
        Address(account="acme", tenant="*", channel="#general"),
        Address(account="guild", tenant="*", channel="7"),
        Address(account="acme", tenant="T1", channel="C1"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('bridges = [{channels = ["acme:#a"]}]', r"skills\.bridge\.bridges\[1\]: channels needs at least two"),
        ("bridges = [{}]", r"skills\.bridge\.bridges\[1\]\.channels is missing"),
        ('bridges = [{channels = ["acme:#a", "acme:#A"]}]', r"bridges\[1\]: channels has 'acme:#A' twice"),
        (
            'bridges = [{channels = ["acme:#a", "guild:#a"]}, {channels = ["acme:#b", "guild:#a"]}]',
            r"'guild:#a' is in two bridges: write all of their channels into one",
        ),
        (
            'bridges = [{channels = ["acme:#a", "gild:#a"]}]',
            r"bridges\[1\]\.channels\[2\]: 'gild:#a' is on the account 'gild', .* did you mean 'guild'\?",
        ),
        ('bridges = [{channels = ["acme:#a", "x:#a"]}]', r"channels\[2\]: .* there is acme, guild"),
        (
            'bridges = [{channels = ["#general", "guild:#a"]}]',
            r"channels\[1\]: '#general' is no channel: write .*acme:#",
        ),
        ('bridges = [{channels = ["acme:#a b", "guild:#a"]}]', r"channels\[1\]: .* is no channel"),
        ('bridges = [{channels = ["1:acme/T1/C1/9", "guild:#a"]}]', r"channels\[1\]: .* is a thread"),
        ('bridges = [{channels = ["1:acme/T1", "guild:#a"]}]', r"channels\[1\]: .* is not an address"),
        ('format = "{nick}: "', r"skills\.bridge\.format: \{nick\} means nothing here: there is \{name\}"),
        ('format = "somebody: "', r"skills\.bridge\.format: .* write \{name\}"),
        ("keep_days = 0", r"skills\.bridge\.keep_days"),
        ("bridge = []", r"skills\.bridge\.bridge is not a setting; did you mean bridges\?"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, f"[skills.bridge]\n{written}\n")


def test_the_page_has_every_setting_with_its_default() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "bridge.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", page, flags=re.MULTILINE))
    settings = BridgeSettings()
    defaults = {name: getattr(settings, name) for name in BridgeSettings.model_fields}
    assert shown == {name: json.dumps(value).removesuffix(".0") for name, value in defaults.items()}


def test_the_settings_of_the_page_are_good(tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "bridge.md").read_text(encoding="utf-8")
    file = tmp_path / "dragoman.toml"
    file.write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    found = load(file, environ={}).validate_skill("bridge", BridgeSettings)
    assert [len(bridge.channels) for bridge in found.bridges] == [2, 3]
