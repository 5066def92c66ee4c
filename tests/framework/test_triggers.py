"""Triggers: sub-commands, slash commands, mentions, schedules and webhooks; and how one more is added."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest

from dragoman import (
    NOWHERE,
    CommandTrigger,
    Context,
    Cooldown,
    Event,
    HandlerManifest,
    MentionTrigger,
    Scheduled,
    Skill,
    SkillError,
    SkillManifest,
    SlashCommand,
    Webhook,
    triggers,
)
from dragoman.match import Matched, Routes
from dragoman.priority import Priority
from dragoman.triggers.trigger import Candidate, Declared, Index, Occasion, Place, Trigger
from support.samples import HERE, message

ops = Skill("ops")


@ops.command("ship", name="deploy start")
def start(app: str, force: bool = False) -> None: ...


@ops.command(name="deploy status")
def status() -> None: ...


@ops.command(name="deploy status all")
def status_all() -> None: ...


@ops.command()
def ping() -> None: ...


@ops.schedule("0 9 * * MON-FRI", timezone="Europe/Berlin")
def morning(ctx: Context) -> None: ...


@ops.schedule()
def later(text: str, times: int = 1) -> None: ...


@ops.webhook("/build")
def built(ctx: Context) -> None: ...


ROUTES = Routes([ops.manifest()])


def found(event: Event) -> list[tuple[str, dict[str, Any]]]:
    return [(match.handler, match.arguments) for match in ROUTES.match(event).matches]


def slash(name: str, **given: Any) -> SlashCommand:
    return SlashCommand(key="s1", address=HERE, conversation="channel", addressed=True, name=name, **given)


@pytest.mark.parametrize(
    ("request_", "handler", "arguments"),
    [
        ("deploy start web", "start", {"app": "web"}),
        ("DEPLOY  Start web", "start", {"app": "web"}),
        ("!deploy start web", "start", {"app": "web"}),
        ("ship web", "start", {"app": "web"}),
        ("deploy status", "status", {}),
        ("deploy status all", "status_all", {}),
    ],
)
def test_a_sub_command_is_found_by_the_longest_name(request_: str, handler: str, arguments: dict[str, Any]) -> None:
    assert found(message(request_)) == [(handler, arguments)]


def test_what_is_behind_a_sub_command_is_its_arguments() -> None:
    answer = ROUTES.match(message("deploy status every")).answer
    assert answer is not None
    assert "`every`" in answer
    assert answer.endswith("Usage: `deploy status`")


def test_a_family_of_commands_names_its_members() -> None:
    answer = ROUTES.match(message("deploy")).answer
    assert answer == "`deploy` needs one of `start`, `status`, `status all` behind it."


def test_an_unknown_sub_command_gets_a_suggestion() -> None:
    answer = ROUTES.match(message("deploy strat web")).answer
    assert answer == "`deploy` has no `strat`: there is `start`, `status`, `status all`. Did you mean `start`?"


def test_a_prefix_is_enough_to_ask_a_family() -> None:
    assert "needs one of" in str(ROUTES.match(message("!deploy", addressed=False)).answer)
    assert ROUTES.match(message("deploy", addressed=False)) == Matched()


def test_a_slash_command_is_the_same_command_typed() -> None:
    assert found(slash("deploy", text="start web --force")) == [("start", {"app": "web", "force": True})]
    assert found(slash("deploy start", text="web")) == [("start", {"app": "web"})]


def test_a_slash_command_is_the_same_command_from_a_form() -> None:
    assert found(slash("deploy start", options={"app": "my web", "force": "true"})) == [
        ("start", {"app": "my web", "force": True})
    ]


def test_a_mistake_in_a_slash_command_is_answered() -> None:
    answer = ROUTES.match(slash("deploy start", options={})).answer
    assert answer is not None
    assert "`app` is missing" in answer
    assert ROUTES.match(slash("nothing")).answer == "I do not know `nothing`."


def test_a_mention_is_what_nothing_else_takes() -> None:
    chat = Skill("chat")

    @chat.mention()
    def talk(text: str) -> None: ...

    @chat.hear("good morning")
    def greet() -> None: ...

    routes = Routes([ops.manifest(), chat.manifest()])
    (match,) = routes.match(message("what is the time?")).matches
    assert (match.handler, match.arguments, match.priority) == ("talk", {"text": "what is the time?"}, Priority.COMMAND)
    assert [m.handler for m in routes.match(message("good morning")).matches] == ["greet"]
    assert [m.handler for m in routes.match(message("ping")).matches] == ["ping"]
    assert routes.match(message("what?", addressed=False)) == Matched()
    assert "`deploy` has no `strat`" in str(routes.match(message("deploy strat")).answer)
    assert routes.match(message("deploy strat")).matches == ()
    assert routes.match(message("what?", bot=True)) == Matched()


def test_what_is_due_goes_to_the_handler_that_asked_for_it() -> None:
    def due(handler: str, **arguments: Any) -> Scheduled:
        return Scheduled(
            key="t1",
            address=NOWHERE,
            conversation="channel",
            skill="ops",
            handler=handler,
            due=1.0,
            arguments=arguments,
        )

    (match,) = ROUTES.match(due("later", text="tea")).matches
    assert (match.handler, match.arguments, match.priority) == ("later", {"text": "tea"}, Priority.SCHEDULED)
    assert found(due("morning")) == [("morning", {})]
    assert ROUTES.match(due("gone")) == Matched()


def test_a_webhook_goes_to_the_handler_whose_path_it_is() -> None:
    event = Webhook(
        key="w1", address=NOWHERE, conversation="channel", skill="ops", handler="built", path="/build", body='{"ok": 1}'
    )
    assert found(event) == [("built", {})]
    assert event.json_body() == {"ok": 1}
    assert ROUTES.match(event.model_copy(update={"handler": "gone"})) == Matched()


@pytest.mark.parametrize("cron", ["", "0 9 * *", "99 9 * * *", "0 9 * * FOO", "0 0 30 2 *", "@daily"])
def test_a_time_that_never_comes_is_told_where_it_is_written(cron: str) -> None:
    with pytest.raises(SkillError, match=r"skill 'ops': schedule: .* is no time that comes"):
        Skill("ops").schedule(cron)


@pytest.mark.parametrize("timezone", ["", "Berlin", "../etc/passwd", "Europe/Nowhere"])
def test_a_time_zone_that_does_not_exist_is_told_where_it_is_written(timezone: str) -> None:
    with pytest.raises(SkillError, match="is not a time zone"):
        Skill("ops").schedule("0 9 * * *", timezone=timezone)


def test_nobody_gives_a_schedule_its_arguments() -> None:
    def waits(text: str) -> None: ...

    with pytest.raises(SkillError, match=r"ops\.waits: nobody gives it 'text' when its time comes"):
        Skill("ops").schedule("0 9 * * *")(waits)
    Skill("ops").schedule()(waits)


@pytest.mark.parametrize("path", ["build", "/", "/a b", "/a?b", "/../x", "/" + "a" * 300])
def test_a_webhooks_path_is_a_plain_one(path: str) -> None:
    with pytest.raises(SkillError, match="write a path such as /build"):
        Skill("ops").webhook(path)


def test_who_may_and_how_often_is_part_of_the_manifest() -> None:
    skill = Skill("ops")
    skill.command(allow=("admin",), cooldown=Cooldown(times=3, per=60))(ping)
    (handler,) = SkillManifest.model_validate_json(skill.manifest().model_dump_json()).handlers
    assert handler.allow == ("admin",)
    assert handler.cooldown == Cooldown(times=3, per=60, scope="person")


def test_a_manifest_keeps_its_triggers_over_the_wire() -> None:
    manifest = ops.manifest()
    assert SkillManifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert {type(handler.trigger).__name__ for handler in manifest.handlers} == {
        "CommandTrigger",
        "ScheduleTrigger",
        "WebhookTrigger",
    }


def test_a_trigger_from_the_future_leaves_its_neighbours_alone() -> None:
    text = ops.manifest().model_dump_json().replace('"kind":"webhook"', '"kind":"telepathy"')
    routes = Routes([SkillManifest.model_validate_json(text)])
    assert routes.problems == ["ops.built has a trigger of a newer Dragoman: 'telepathy'"]
    assert [match.handler for match in routes.match(message("ping")).matches] == ["ping"]


class ReactionTrigger(Trigger):
    """What somebody who adds a trigger writes: here, a certain emoji."""

    kind: Literal["emoji"] = "emoji"
    emoji: str

    @classmethod
    def declare(cls, emoji: str) -> Declared:
        return Declared(cls(emoji=emoji))

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return EmojiIndex()


class EmojiIndex(Index):
    def __init__(self) -> None:
        self.places: dict[str, Place] = {}

    def add(self, place: Place, trigger: ReactionTrigger) -> None:
        self.places[trigger.emoji] = place

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        if place := self.places.get(getattr(occasion.event, "emoji", "")):
            yield Candidate(place, dict, Priority.BUTTON)


def test_one_more_trigger_is_one_class_and_one_line_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from support.samples import EVENTS

    line = triggers.Declares(ReactionTrigger, ReactionTrigger.declare)
    monkeypatch.setattr(triggers.Declarations, "emoji", line, raising=False)
    monkeypatch.setattr(triggers, "KINDS", {**triggers.KINDS, "emoji": ReactionTrigger})
    monkeypatch.setattr("dragoman.match.KINDS", triggers.KINDS)
    skill = Skill("fun")
    skill.emoji("wave")(ping)  # type: ignore[attr-defined]  # the table's line is the test's own
    manifest = SkillManifest.model_validate_json(skill.manifest().model_dump_json())
    assert manifest.handlers[0].trigger == ReactionTrigger(emoji="wave")
    (match,) = Routes([manifest]).match(EVENTS["reaction"]).matches
    assert match.handler == "ping"


def test_every_kind_of_the_table_has_an_index() -> None:
    assert set(triggers.KINDS) == {"on", "schedule", "webhook", "on_undeliverable", "command", "hear", "mention"}
    assert all(trigger.index(("!",)) is not None for trigger in triggers.KINDS.values())


def test_a_handlers_names_are_its_commands() -> None:
    assert HandlerManifest(name="x", trigger=CommandTrigger(names=("a b", "c"))).names == ("a b", "c")
    assert HandlerManifest(name="x", trigger=MentionTrigger()).names == ()
