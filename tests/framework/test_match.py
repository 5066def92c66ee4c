"""Which handlers an event is for, and what a person is told when there is none."""

from typing import Annotated

import pytest
from pydantic import Field

from dragoman import CatalogueError, Content, Context, HearTrigger, Person, Skill, SkillManifest
from dragoman.exchange.topology import Priority
from dragoman.manifest import HandlerManifest
from dragoman.match import Match, Matched, Routes, verify
from support.samples import EVENTS, message

dice = Skill("dice")
talk = Skill("talk")


@dice.command("throw")
def roll(dice: str = "1d6", times: Annotated[int, Field(ge=1, le=20)] = 1) -> str:
    return ""


@dice.command()
def flip() -> str:
    return ""


@talk.hear(r"\bgood (?P<part>morning|night)\b")
def greet(ctx: Context, part: str) -> None: ...


@talk.hear(r"\b(?P<count>\w+) beers?\b")
def pour(count: Annotated[int, Field(le=9)]) -> None: ...


@talk.hear(r"\bping(?P<times> \d+)?\b")
def ping(times: int) -> None: ...


@talk.on("reaction")
def seen(ctx: Context) -> None: ...


@talk.on("member_joined")
async def welcome(ctx: Context) -> None: ...


ROUTES = Routes([dice.manifest(), talk.manifest()])
ROLL = Match("dice", "roll", {}, Priority.COMMAND, command="roll")


def told(request: str) -> str:
    matched = ROUTES.match(message(request))
    assert matched.matches == ()
    assert matched.answer is not None
    return matched.answer


@pytest.mark.parametrize("request_", ["roll", "ROLL", " roll ", "throw", "/roll", "!roll", "!/roll", "! roll"])
def test_a_command_is_found_by_its_names_in_any_case_with_a_prefix_or_a_slash(request_: str) -> None:
    (found,) = ROUTES.match(message(request_)).matches
    assert (found.skill, found.handler, found.arguments, found.priority) == ("dice", "roll", {}, Priority.COMMAND)


def test_the_rest_of_what_was_said_becomes_the_arguments() -> None:
    (found,) = ROUTES.match(message("roll 2d20 3")).matches
    assert found == Match("dice", "roll", {"dice": "2d20", "times": 3}, Priority.COMMAND, command="roll")


def test_arguments_that_do_not_fit_are_answered_with_the_usage_and_nothing_runs() -> None:
    assert told("roll 2d20 many") == (
        "`times` should be a whole number from 1 to 20, not `many`.\n\nUsage: `roll [dice] [times]`"
    )


def test_the_usage_names_the_command_as_the_person_said_it() -> None:
    assert told("throw 2d20 many").endswith("Usage: `throw [dice] [times]`")


def test_a_prefix_makes_a_command_of_what_was_not_said_to_the_bot() -> None:
    assert ROUTES.match(message("!roll", addressed=False)) == Matched((ROLL,))
    assert ROUTES.match(message("roll", addressed=False)) == Matched()


@pytest.mark.parametrize("request_", ["!!!", "!", "!wow", "! ", "hello there", "", "rol", "/roll"])
def test_talk_that_is_not_for_the_bot_is_met_with_silence(request_: str) -> None:
    assert ROUTES.match(message(request_, addressed=False)) == Matched()


def test_prefixes_are_the_bots_own() -> None:
    routes = Routes([dice.manifest()], prefixes=("?", "bot,"))
    assert routes.match(message("?roll", addressed=False)).matches == (ROLL,)
    assert routes.match(message("bot, roll", addressed=False)).matches == (ROLL,)
    assert routes.match(message("!roll", addressed=False)).matches == ()
    both = Routes([dice.manifest()], prefixes=("!", "!!"))
    assert both.match(message("!!roll", addressed=False)).matches == (ROLL,)
    assert Routes([dice.manifest()], prefixes=()).match(message("!roll", addressed=False)).matches == ()


def test_a_misspelt_command_gets_a_suggestion() -> None:
    assert told("rol 2d6") == "I do not know `rol`. Did you mean `roll`?"


def test_a_word_that_is_like_nothing_gets_none() -> None:
    assert told("xyzzy") == "I do not know `xyzzy`."


@pytest.mark.parametrize(
    ("request_", "plain", "answered"),
    [("thanks", " thanks ", False), ("thanks", "<@B1> thanks", True), ("roll", "roll", False)],
)
def test_a_reply_to_what_the_bot_said_asks_nothing_unless_it_names_it(
    request_: str, plain: str, answered: bool
) -> None:
    content = Content(text=plain, plain=plain)
    reply = message(request_).model_copy(update={"replies_to": "m1", "content": content})
    assert bool(Routes([]).match(reply).answer) is answered
    # A command is one all the same.
    assert bool(ROUTES.match(reply).matches) is (request_ == "roll")


def test_an_empty_request_is_answered() -> None:
    assert told("") == "Yes?"
    assert told(" \n") == "Yes?"


def test_an_answer_points_to_help_where_there_is_help() -> None:
    helper = Skill("help")
    helper.command(name="help")(flip)
    answer = Routes([helper.manifest()]).match(message("xyzzy")).answer
    assert answer == "I do not know `xyzzy`. `help` lists what I can do."


def test_a_long_word_with_backticks_cannot_fill_the_channel_or_leave_its_code_span() -> None:
    answer = told("`" * 3000)
    assert len(answer) < 150
    assert "``" not in answer


def test_a_pattern_is_heard_in_what_anybody_says_and_its_groups_become_arguments() -> None:
    matched = ROUTES.match(message(addressed=False, plain="A good Night to all"))
    assert matched == Matched((Match("talk", "greet", {"part": "Night"}, Priority.OVERHEARD),))


def test_a_groups_text_becomes_the_parameters_type() -> None:
    (found,) = ROUTES.match(message(addressed=False, plain="3 beers")).matches
    assert found.arguments == {"count": 3}


@pytest.mark.parametrize("text", ["many beers", "10 beers"])
def test_a_group_whose_text_does_not_fit_is_not_heard_since_nobody_asked(text: str) -> None:
    assert ROUTES.match(message(addressed=False, plain=text)) == Matched()


def test_a_required_group_that_took_no_part_is_not_heard() -> None:
    assert ROUTES.match(message(addressed=False, plain="ping")) == Matched()
    assert ROUTES.match(message(addressed=False, plain="ping 3")).matches[0].arguments == {"times": 3}


def test_what_is_said_to_the_bot_and_heard_needs_no_apology() -> None:
    assert ROUTES.match(message("good morning")).answer is None
    assert [found.handler for found in ROUTES.match(message("good morning")).matches] == ["greet"]


def test_several_patterns_may_hear_one_message() -> None:
    matched = ROUTES.match(message(addressed=False, plain="good morning, 2 beers please"))
    assert [found.handler for found in matched.matches] == ["greet", "pour"]


def test_a_command_is_not_overheard_too() -> None:
    skill = Skill("echo")
    skill.hear("roll")(flip)
    matched = Routes([dice.manifest(), skill.manifest()]).match(message("roll"))
    assert [found.handler for found in matched.matches] == ["roll"]


def test_a_message_of_a_program_is_neither_a_command_nor_heard_nor_answered() -> None:
    for request in ("roll", "good morning", "xyzzy", ""):
        assert ROUTES.match(message(request, bot=True)) == Matched()


def test_a_message_of_nobody_in_particular_is_still_heard() -> None:
    event = message("roll").model_copy(update={"person": None})
    assert ROUTES.match(event).matches == (ROLL,)


def test_events_of_a_kind_go_to_the_handlers_that_asked_for_it() -> None:
    assert ROUTES.match(EVENTS["reaction"]) == Matched((Match("talk", "seen", {}, Priority.OVERHEARD),))
    assert ROUTES.match(EVENTS["member_joined"]) == Matched((Match("talk", "welcome", {}, Priority.OVERHEARD),))
    assert ROUTES.match(EVENTS["deleted"]) == Matched()


def test_an_edited_message_does_not_run_its_command_again() -> None:
    edited = EVENTS["edited"].model_copy(update={"request": "roll", "person": Person(id="U1")})
    assert ROUTES.match(edited) == Matched()


def claiming(name: str) -> SkillManifest:
    skill = Skill(name)
    skill.command("throw")(flip)
    return skill.manifest()


def test_two_skills_that_claim_one_command_are_both_named_and_the_elder_keeps_it() -> None:
    routes = Routes([claiming("elder"), dice.manifest()])
    assert routes.problems == [
        "the command 'throw' is claimed by elder.flip and by dice.roll: elder.flip keeps it; rename one of them",
        "the command 'flip' is claimed by elder.flip and by dice.flip: elder.flip keeps it; rename one of them",
    ]
    assert [(m.skill, m.handler) for m in routes.match(message("throw")).matches] == [("elder", "flip")]
    assert [(m.skill, m.handler) for m in routes.match(message("roll")).matches] == [("dice", "roll")]


def test_a_handler_that_names_itself_twice_has_no_rival() -> None:
    skill = Skill("coin")
    skill.command("flip")(flip)
    assert Routes([skill.manifest()]).problems == []


def test_a_pattern_that_cannot_be_read_is_named_and_the_others_are_still_heard() -> None:
    broken = SkillManifest(
        name="broken", handlers=(HandlerManifest(name="look", trigger=HearTrigger(pattern="a(?=b)")),)
    )
    routes = Routes([broken, talk.manifest()])
    (problem,) = routes.problems
    assert problem.startswith("broken.look cannot be heard: 'a(?=b)'")
    assert [m.handler for m in routes.match(message(addressed=False, plain="good night")).matches] == ["greet"]


def test_verify_raises_what_routes_only_report() -> None:
    verify([dice.manifest(), talk.manifest()])
    with pytest.raises(CatalogueError, match=r"elder\.flip and by dice\.roll"):
        verify([claiming("elder"), dice.manifest()])


def test_without_skills_whoever_talks_to_the_bot_gets_an_answer_all_the_same() -> None:
    assert Routes([]).match(message("roll")).answer == "I do not know `roll`."
