"""The contract of adapters notices who breaks it: what ``dragoman new adapter`` writes, with one thing wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dragoman import Adapter, Capabilities, EventBase, no, yes
from dragoman.new import grow
from dragoman.testing import AdapterContract, contract

PACKAGE = "dragoman_line_chat"
TESTS = "tests/test_contract.py"

#: The file, what is there, what stands there instead, and the test that has to notice it.
WRONGS: Mapping[str, tuple[str, str, str, str]] = {
    "all messages have one key": (
        f"{PACKAGE}/normalise.py",
        '{account}/message/{line.id}"',
        '{account}/message/x"',
        "the_same_payload_has_the_same_key_and_different_ones_have_others",
    ),
    "the text is not what was said": (
        f"{PACKAGE}/normalise.py",
        "text=line.text,",
        "text=line.text.upper(),",
        "a_scenario_is_the_same_event_on_every_platform",
    ),
    "garbage is another error": (
        f"{PACKAGE}/normalise.py",
        "Line.model_validate_json(raw)",
        "Line(**__import__('json').loads(raw))",
        "a_payload_that_is_broken_anywhere_is_blamed_or_understood",
    ),
    "what was not kept is received": (
        f"{PACKAGE}/adapter.py",
        'return {"type": "error", "text": "not taken: send it again"}',
        "pass",
        "what_could_not_be_taken_comes_again",
    ),
    "garbage ends it": (
        f"{PACKAGE}/adapter.py",
        "except ValueError as error:",
        "except KeyError as error:",
        "garbage_from_the_platform_ends_nothing",
    ),
    "a task is left": (
        f"{PACKAGE}/adapter.py",
        "            ready()\n",
        "            self.left = asyncio.create_task(asyncio.sleep(3600))\n            ready()\n",
        "it_ends_when_it_is_told_to_and_leaves_no_task",
    ),
    "it is never ready": (f"{PACKAGE}/adapter.py", "            ready()\n", "", "what_is_said_is_heard_in_order"),
    "who is away is not asked again": (
        f"{PACKAGE}/adapter.py",
        "retry=True",
        "retry=False",
        "a_platform_that_is_away_is_asked_again_later",
    ),
    "it says everything twice": (
        f"{PACKAGE}/render.py",
        '"id": action.key,',
        '"id": f"{action.key}{action.again}",',
        "what_is_said_is_shown_once_however_often_it_is_asked_for",
    ),
    "long texts are cut": (
        f"{PACKAGE}/render.py",
        '"id": action.key, "text": content.text',
        '"id": action.key, "text": content.text[:4000]',
        "a_text_of_40000_characters_arrives_whole",
    ),
    "nothing is changed": (
        f"{PACKAGE}/render.py",
        '"type": "edit"',
        '"type": "received"',
        "a_message_is_changed_and_taken_back",
    ),
    "emoji stay": (
        f"{PACKAGE}/render.py",
        '"unreact" if',
        '"react" if',
        "an_emoji_is_put_on_a_message_and_taken_away",
    ),
    "what it cannot do is done": (
        f"{PACKAGE}/render.py",
        "        case Typing():",
        "        case ActionBase():",
        "what_cannot_be_done_is_refused_for_good",
    ),
    "it declares more than there is": (
        f"{PACKAGE}/adapter.py",
        'edits=no("what was said stays")',
        "edits=yes()",
        "every_scenario_has_a_payload_or_a_reason",
    ),
    "it declares less than there is": (
        f"{PACKAGE}/adapter.py",
        'reactions=yes("not when they are taken away")',
        'reactions=no("nobody hears of them")',
        "what_the_adapter_declares_is_so",
    ),
    "it does not say what happens instead": (
        f"{PACKAGE}/adapter.py",
        'groups=no("there are channels only")',
        "groups=no()",
        "what_the_adapter_declares_is_so",
    ),
    "threads are none": (
        f"{PACKAGE}/adapter.py",
        'threads=no("an answer is said in the channel")',
        "threads=yes()",
        "what_is_said_below_a_message_is_in_its_thread",
    ),
    "something is an event that should be none": (
        TESTS,
        '        "code_block":',
        '        "self_message": line(channel="lobby", text="I said so"),\n        "code_block":',
        "what_is_no_event_makes_none",
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_noticed(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    """As it is written it passes all of them: see `test_new`."""
    name, right, instead, noticed = WRONGS[wrong]
    grow("adapter", "line-chat", tmp_path)
    project = tmp_path / "dragoman-line-chat"
    text = (project / name).read_text(encoding="utf-8")
    assert text.count(right) == 1, right
    (project / name).write_text(text.replace(right, instead), encoding="utf-8")
    monkeypatch.setattr(contract.behaving, "PATIENCE", 1.0)  # what never happens is not waited for long
    quiet = [f"-pno:{plugin}" for plugin in ("cacheprovider", "asyncio", "anyio", "timeout")]
    done = pytester.inline_run("-q", *quiet, f"--rootdir={project}", "-k", f"test_{noticed}", str(project / TESTS))
    _, _, failed = done.listoutcomes()
    assert failed, f"{wrong}, and test_{noticed} passes"
    # It fails by itself, and not because the project cannot be read any more.
    assert {report.nodeid.partition("::test_")[2].partition("[")[0] for report in failed} == {noticed}


class Pigeon(Adapter):
    platform = "pigeon"
    capabilities = Capabilities(direct=yes(), again=no("it does not come back"))


class Shared(AdapterContract):
    """What several test classes have in common."""

    def normalise(self, payload: Any) -> Sequence[EventBase]:
        return []


class Shy(Shared):
    adapter = Pigeon
    without: ClassVar[Mapping[str, str]] = {"an_empty_text_is_no_error": "a pigeon without a letter gets lost"}


class Bold(Shared):
    adapter = Pigeon
    payloads: ClassVar[Mapping[str, Any]] = {"unknown_event": "kraa"}

    def test_it_says_who_it_is(self) -> None:
        """The author's own."""


def _tests(kind: type) -> set[str]:
    return {name for name in dir(kind) if name.startswith("test_") and getattr(kind, name) is not None}


def test_what_needs_a_capability_that_is_not_there_is_left_out() -> None:
    assert "test_what_could_not_be_taken_comes_again" in _tests(Shared)
    assert "test_what_could_not_be_taken_comes_again" not in _tests(Shy)
    assert "test_what_is_said_is_heard_in_order" in _tests(Shy)


def test_what_there_cannot_be_for_another_reason_is_left_out_here_and_nowhere_else() -> None:
    assert "test_an_empty_text_is_no_error" not in _tests(Shy)
    assert "test_an_empty_text_is_no_error" in _tests(Bold)


def test_a_test_for_each_payload_is_there_as_soon_as_there_is_one() -> None:
    assert "test_what_is_no_event_makes_none" not in _tests(Shared)
    assert "test_what_is_no_event_makes_none" in _tests(Bold)


def test_an_authors_own_test_stays() -> None:
    assert Bold.test_it_says_who_it_is.__doc__ == "The author's own."


@pytest.mark.parametrize("attribute", ["payloads", "without"])
def test_a_name_that_is_not_in_the_contract_is_told(attribute: str) -> None:
    with pytest.raises(TypeError, match="Odd: there is nothing called 'mesage' in the contract"):
        type("Odd", (AdapterContract,), {attribute: {"mesage": "hello"}})
