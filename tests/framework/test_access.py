"""Who may do what: rules, roles, and what is said to whom."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dragoman import Address, CommandTrigger, EventBase, HandlerManifest, OnTrigger, Person
from dragoman.access import Access, Rule
from dragoman.event import Conversation

ANN = Person(id="U1", name="Ann", roles=("member",))
BOB = Person(id="U2", name="Bob", roles=("Admin", "member"))
DEPLOY = HandlerManifest(name="deploy", trigger=CommandTrigger(names=("deploy", "ship")), allow=("admin",))
START = HandlerManifest(name="begin", trigger=CommandTrigger(names=("deploy start",)))
ROLL = HandlerManifest(name="roll", trigger=CommandTrigger(names=("roll", "r")))
WAVE = HandlerManifest(name="wave", trigger=OnTrigger(event="reaction"))


def event(
    channel: str = "C1",
    name: str = "ops-eu",
    *,
    conversation: Conversation = "channel",
    account: str = "acme",
    kind: str = "message",
) -> EventBase:
    address = Address(account=account, tenant="T1", channel=channel)
    return EventBase(kind=kind, key="k", address=address, channel_name=name, conversation=conversation)


def rule(allow: bool = False, **lists: Any) -> Rule:
    return Rule.model_validate({"allow": allow, **lists})


def allowed(
    *rules: Rule,
    who: Person | None = ANN,
    at: EventBase | None = None,
    skill: str = "dice",
    handler: HandlerManifest = ROLL,
    roles: dict[str, tuple[str, ...]] | None = None,
) -> bool:
    return Access(rules, roles or {}).decide(who, at or event(), skill, handler).allowed


def test_without_rules_a_command_is_for_everybody() -> None:
    decision = Access().decide(ANN, event(), "dice", ROLL)
    assert (decision.allowed, decision.reason, decision.say) == (True, "no rule matches; roll is for everybody", "")
    assert Access().decide(None, event(), "dice", ROLL).allowed


def test_a_handler_for_roles_is_for_those_who_have_one() -> None:
    yes = Access().decide(BOB, event(), "ops", DEPLOY)
    assert yes.allowed
    assert yes.reason == "no rule matches; deploy is for the role admin, and Bob has admin and member"
    no = Access().decide(ANN, event(), "ops", DEPLOY)
    assert not no.allowed
    assert no.reason == "no rule matches; deploy is for the role admin, and Ann has member"
    assert no.say == "You may not use `deploy`: it is for admin."


def test_whom_the_platform_does_not_name_has_no_role() -> None:
    decision = Access(roles={"admin": ("*",)}).decide(None, event(), "ops", DEPLOY)
    assert not decision.allowed
    assert decision.reason.endswith("and an unknown person has none")


def test_several_roles_are_told_as_alternatives() -> None:
    handler = DEPLOY.model_copy(update={"allow": ("admin", "owner", "deployers")})
    assert Access().decide(ANN, event(), "ops", handler).say.endswith("it is for admin, owner or deployers.")


@pytest.mark.parametrize("text", ["U1", "u1", "acme:U1", "*:u1", "U[0-8]"])
def test_the_bots_own_roles_name_people_by_id_and_account(text: str) -> None:
    access = Access(roles={"Deployers": (text,)})
    assert access.roles_of(ANN, "acme") == {"member", "deployers"}
    assert access.roles_of(Person(id="U9", name="Zoe"), "acme") == frozenset()


def test_a_role_of_one_account_is_not_had_on_another() -> None:
    access = Access(roles={"deployers": ("acme:U1",)})
    assert access.roles_of(ANN, "other") == {"member"}


@pytest.mark.parametrize("name", ["U2", "acme:U2", "ann"])
def test_nobody_gets_a_role_by_calling_themselves_something(name: str) -> None:
    access = Access(roles={"deployers": ("acme:U2", "U2", "ann")})
    assert access.roles_of(Person(id="U1", name=name), "acme") == frozenset()


def test_a_role_of_the_bots_own_opens_a_handler() -> None:
    handler = DEPLOY.model_copy(update={"allow": ("deployers",)})
    assert allowed(handler=handler, roles={"deployers": ("u1",)})
    assert not allowed(handler=handler, roles={"deployers": ("u2",)})


@pytest.mark.parametrize(
    ("lists", "matches"),
    [
        ({}, True),
        ({"people": ["*"]}, True),
        ({"people": ["U2", "u1"]}, True),
        ({"people": ["U2"]}, False),
        ({"people": ["acme:*"]}, True),
        ({"people": ["other:*"]}, False),
        ({"channels": ["C1"]}, True),
        ({"channels": ["#OPS-*"]}, True),
        ({"channels": ["acme:#ops-eu"]}, True),
        ({"channels": ["acme:c1"]}, True),
        ({"channels": ["other:#ops-eu"]}, False),
        ({"channels": ["ops-eu"]}, False),
        ({"channels": ["direct"]}, False),
        ({"roles": ["memb*"]}, True),
        ({"roles": ["owner"]}, False),
        ({"commands": ["roll"]}, True),
        ({"commands": ["R"]}, True),
        ({"commands": ["dice.roll"]}, True),
        ({"commands": ["dice.*"]}, True),
        ({"commands": ["rol"]}, False),
        ({"accounts": ["ac*"]}, True),
        ({"accounts": ["other"]}, False),
        ({"people": ["u1"], "channels": ["#ops-*"], "roles": ["member"], "accounts": ["acme"]}, True),
        ({"people": ["u1"], "channels": ["#other"]}, False),
    ],
)
def test_a_rule_matches_when_all_its_lists_do(lists: dict[str, list[str]], matches: bool) -> None:
    assert allowed(rule(allow=False, **lists)) is not matches


def test_direct_messages_are_a_channel_called_direct() -> None:
    here = event("D1", "", conversation="direct")
    assert not allowed(rule(channels=["direct"]), at=here)
    assert not allowed(rule(channels=["acme:direct"]), at=here)
    assert not allowed(rule(channels=["D1"]), at=here)
    assert allowed(rule(channels=["#*"]), at=here)


@pytest.mark.parametrize("command", ["deploy start", "deploy *", "deploy", "ops.begin"])
def test_a_rule_for_a_command_is_for_its_sub_commands_too(command: str) -> None:
    assert not allowed(rule(commands=[command]), skill="ops", handler=START)
    assert allowed(rule(commands=["deploy start"]), skill="ops", handler=ROLL)


def test_rules_are_for_everything_that_people_trigger() -> None:
    here = event(kind="reaction")
    assert not allowed(rule(people=["u1"]), at=here, handler=WAVE)
    assert not allowed(rule(commands=["dice.wave"]), at=here, handler=WAVE)
    assert allowed(rule(commands=["wave"]), at=here, handler=WAVE)  # it is no command


@pytest.mark.parametrize("kind", ["schedule", "webhook"])
def test_what_nobody_asked_for_is_subject_to_nothing(kind: str) -> None:
    decision = Access([rule()]).decide(None, event(kind=kind), "ops", DEPLOY)
    assert decision.allowed
    assert "nobody asked" in decision.reason


def test_everybody_includes_those_whom_the_platform_does_not_name() -> None:
    assert not allowed(rule(people=["*"]), who=None)
    assert allowed(rule(people=["?*"]), who=None)
    assert allowed(rule(roles=["*"]), who=None)
    assert allowed(rule(roles=["*"]), who=Person(id="U3"))


def test_the_first_rule_that_matches_wins_over_later_ones_and_over_the_handlers_roles() -> None:
    assert allowed(rule(True, people=["u1"]), rule(), skill="ops", handler=DEPLOY)
    assert not allowed(rule(), rule(True, people=["u1"]), skill="ops", handler=DEPLOY)
    assert not allowed(rule(people=["u2"]), who=BOB, skill="ops", handler=DEPLOY)


def test_the_rule_is_named_to_those_who_run_the_bot() -> None:
    access = Access([rule(people=["u2"]), rule(commands=["deploy*", "ship"], channels=["#ops-*"])])
    decision = access.decide(ANN, event(), "ops", DEPLOY)
    assert decision.reason == ("rule 2 of dragoman.toml: allow = false for channels #ops-* and commands deploy*, ship")
    assert decision.say == "You may not use `deploy` here."
    assert Access([rule(True)]).decide(ANN, event(), "ops", DEPLOY).reason == (
        "rule 1 of dragoman.toml: allow = true for everything"
    )


def test_the_person_is_told_the_rules_own_reason() -> None:
    assert Access([rule(reason="Only in #ops, please.")]).decide(ANN, event(), "ops", DEPLOY).say == (
        "Only in #ops, please."
    )
    assert Access([rule()]).decide(ANN, event(), "ops", DEPLOY).say == "You may not use `deploy`."


def test_each_rule_that_was_tried_says_why() -> None:
    access = Access([rule(people=["u2"]), rule(True, roles=["member"], people=["u*"]), rule()])
    tried = list(access.consider(ANN, event(), "ops", DEPLOY))
    assert [(each.number, each.matches, each.why) for each in tried] == [
        (1, False, "people u2: not U1, acme:U1"),
        (2, True, "people u* and roles member"),
    ]
    (only,) = Access([rule(roles=["owner"])]).consider(Person(id="U3"), event(), "ops", DEPLOY)
    assert only.why == "roles owner: not none"


@pytest.mark.parametrize("wrong", ["", "  ", "[ab", "x[", "[z-a]"])
def test_a_glob_that_can_match_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        rule(people=[wrong])


@pytest.mark.parametrize(("glob", "id"), [("[[]x", "[x"), ("[!a]b", "cb"), ("[]]", "]"), ("a]", "a]"), ("[]-]", "-")])
def test_brackets_are_sets(glob: str, id: str) -> None:
    assert not allowed(rule(people=[glob]), who=Person(id=id))
    assert allowed(rule(people=[glob]), who=Person(id="zz"))


@pytest.mark.parametrize("wrong", [{}, {"allow": True, "people": []}, {"allow": True, "users": ["x"]}, {"allow": "so"}])
def test_a_rule_needs_allow_and_knows_its_lists(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(wrong)


TEXTS = st.text(alphabet=st.one_of(st.sampled_from("uU1#:*?[]!-ß\n"), st.characters(exclude_categories=["Cs"])))
LISTS = st.none() | st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
#: Not validated, so that every text is tried.
RULES = st.builds(
    Rule.model_construct,
    allow=st.booleans(),
    people=LISTS,
    channels=LISTS,
    roles=LISTS,
    commands=LISTS,
    accounts=LISTS,
    reason=st.none() | TEXTS,
)


@given(
    st.lists(RULES, max_size=5),
    st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2).map(tuple), max_size=3),
    st.none() | st.builds(Person, id=TEXTS, name=TEXTS, roles=st.lists(TEXTS, max_size=2).map(tuple)),
    st.builds(event, TEXTS.filter(bool), TEXTS, conversation=st.sampled_from(["channel", "direct", "group"])),
    st.sampled_from([DEPLOY, START, ROLL, WAVE]),
)
def test_any_rules_and_people_get_a_decision_and_the_first_match_wins(
    rules: list[Rule],
    roles: dict[str, tuple[str, ...]],
    who: Person | None,
    at: EventBase,
    handler: HandlerManifest,
) -> None:
    access = Access(rules, roles)
    decision = access.decide(who, at, "ops", handler)
    assert decision.reason
    assert bool(decision.say) is not decision.allowed
    # A rule matches alone exactly if it does in company.
    alone = [next(Access([each], roles).consider(who, at, "ops", handler)).matches for each in rules]
    tried = list(access.consider(who, at, "ops", handler))
    first = alone.index(True) if True in alone else len(alone) - 1
    assert [each.matches for each in tried] == alone[: first + 1]
    if True in alone:
        assert decision.allowed is rules[first].allow
    else:
        assert decision == Access((), roles).decide(who, at, "ops", handler)


@given(st.text(alphabet=st.characters(exclude_characters="*?[]", exclude_categories=["Cs"])).filter(str.strip))
def test_a_text_without_wildcards_matches_itself_in_any_case(text: str) -> None:
    for id in (text, text.casefold()):
        assert not allowed(rule(people=[text]), who=Person(id=id))
    assert allowed(rule(people=[text]), who=Person(id=f"{text}.", name=f"{text}."))
