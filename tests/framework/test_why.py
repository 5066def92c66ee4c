"""``dragoman why`` tells what happened to a message, in words that people understand."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from dragoman import Cooldown, Event, Sent, Skill
from dragoman.access import Access, Rule
from dragoman.cli import cli
from dragoman.content import Content
from dragoman.event import Message
from dragoman.match import Routes
from dragoman.routing import Routing
from dragoman.store.catalogue import publish_manifests
from dragoman.store.controls import set_state
from dragoman.store.engine import open_store
from dragoman.store.ledger import (
    Failure,
    Finish,
    claim_runs,
    fail_runs,
    finish_runs,
    record_events,
    record_sent,
    route_events,
)
from dragoman.store.processes import Process, beat
from dragoman.why import NotFound, Why
from dragoman_discord import DiscordAdapter
from dragoman_slack import SlackAdapter
from support.samples import ANN, HERE, send

dice = Skill("dice", order="conversation")
talk = Skill("talk")


@dice.command()
def roll(sides: int = 6) -> str:
    """Roll."""
    return "4"


@dice.command(cooldown=Cooldown(1, per=60))
def deal() -> str:
    """Deal cards."""
    return "ace"


@talk.hear(r"\bgood morning\b")
def greet() -> str:
    """Greet."""
    return "hello"


RULE = Rule(allow=False, commands=("deal",), people=("U9",), reason="Not you.")


class Bot:
    """A store, a router without threads, and a worker and a gateway that are told what they do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        manifests = [dice.manifest(), talk.manifest()]
        self.routes = Routes(manifests, ("!",), Access((RULE,)))
        self.routing = Routing(engine)
        self.owner = Process("worker")
        with engine.begin() as connection:
            publish_manifests(connection, manifests)
            beat(connection, self.owner)

    def receive(self, event: Event) -> None:
        with self.engine.begin() as connection:
            record_events(connection, [event])

    def route(self, event: Event) -> list[str]:
        """The ids of its runs."""
        with self.engine.begin() as connection:
            (routed,) = self.routing.settle(connection, [self.routing.decide(self.routes, event)])
            route_events(connection, [routed])
        return [task.run for task, _ in routed.tasks]

    def come(self, event: Event) -> list[str]:
        self.receive(event)
        return self.route(event)

    def claim(self, run: str) -> None:
        with self.engine.begin() as connection:
            claim_runs(connection, [(run, self.owner.id)])

    def why(self, asked: str) -> str:
        links = (SlackAdapter.read_link, DiscordAdapter.read_link)
        with self.engine.connect() as connection:
            return "\n".join(Why(connection, self.routes, links).tell(asked))


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Bot(engine)
    engine.dispose()


def said(words: str, ts: str = "1700000000.000100", *, addressed: bool = True, by: str = "U1") -> Event:
    return Message(
        key=f"slack/message/acme/T1/C2/{ts}",
        id=ts,
        content=Content(text=words, plain=words),
        request=words,
        address=HERE,
        conversation="channel",
        channel_name="general",
        person=ANN.model_copy(update={"id": by}),
        addressed=addressed,
        occurred=time.time(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


LINK = "https://acme.slack.com/archives/C2/p1700000000000100"


def test_an_answered_message_is_told_from_its_coming_to_its_answer(bot: Bot) -> None:
    event = said("roll 20")
    (run,) = bot.come(event)
    bot.claim(run)
    answer = send(f"{event.key}|dice.roll|0", text="17").model_copy(update={"run": run})
    with bot.engine.begin() as connection:
        finish_runs(connection, [Finish(run, bot.owner.id, (answer,), True)])
        record_sent(connection, [(answer, Sent(ids=("1700000000.000200",)))])
    told = bot.why(LINK)
    assert "message slack/message/acme/T1/C2/1700000000.000100 by Ann (U1) in #general" in told
    assert "said to the bot: 'roll 20'" in told
    assert "received by the account acme\n" in told
    assert "trace 0af7651916cd43dd8448eb211c80319c" in told
    assert f"run {run[:8].upper()} of dice.roll was done," in told
    assert "send by dice.roll: '17', as 1700000000.000200" in told


@pytest.mark.parametrize(
    "asked",
    [
        f"{LINK}?thread_ts=1699999999.000100&cid=C2",
        f"<{LINK}>",
        "1700000000.000100",
        "slack/message/acme/T1/C2/1700000000.000100",
    ],
)
def test_it_may_be_asked_for_by_link_id_and_key(bot: Bot, asked: str) -> None:
    bot.come(said("roll"))
    bot.come(said("roll", ts="1700000000.0001001"))
    assert bot.why(asked).count("message slack/") == 1


def test_it_may_be_asked_for_by_the_reference_of_its_run(bot: Bot) -> None:
    (run,) = bot.come(said("roll"))
    assert "message slack/message/acme/T1/C2/1700000000.000100" in bot.why(run[:8].upper())


def test_of_the_bots_own_message_it_tells_what_made_it(bot: Bot) -> None:
    event = said("roll")
    (run,) = bot.come(event)
    answer = send(f"{event.key}|dice.roll|0", text="17").model_copy(update={"run": run})
    with bot.engine.begin() as connection:
        record_sent(connection, [(answer, Sent(ids=("1800000000.000200",)))])
    told = bot.why("https://acme.slack.com/archives/C2/p1800000000000200")
    assert told.startswith(f"the bot said this: dice.roll, for the event {event.key}\n")
    assert "by Ann (U1)" in told


def test_what_came_again_is_counted(bot: Bot) -> None:
    event = said("roll")
    bot.come(event)
    bot.receive(event)
    bot.receive(event)
    assert "it came 2 times more, which changed nothing" in bot.why(LINK)


def test_talk_that_is_not_for_the_bot(bot: Bot) -> None:
    bot.come(said("roll on, river", addressed=False))
    told = bot.why(LINK)
    assert "it was not said to the bot: its name is not in front, nor ! with a command" in told
    assert "the patterns of talk.greet do not match it" in told
    assert "nothing was said about it" in told


def test_an_unknown_command_is_told_with_what_the_router_answered(bot: Bot) -> None:
    bot.come(said("rol"))
    told = bot.why(LINK)
    assert "there is no such command" in told
    assert "send by the router: 'I do not know `rol`. Did you mean `roll`?'" in told


def test_what_a_program_says_is_not_answered(bot: Bot) -> None:
    event = said("roll")
    assert event.person is not None
    bot.come(event.model_copy(update={"person": event.person.model_copy(update={"bot": True})}))
    assert "a program did it, and programs are not answered" in bot.why(LINK)


def test_a_rule_is_named(bot: Bot) -> None:
    bot.come(said("deal", by="U9"))
    assert "dice.deal: may not run: rule 1 of dragoman.toml: allow = false for people U9" in bot.why(LINK)


def test_wrong_arguments_are_named(bot: Bot) -> None:
    bot.come(said("roll many"))
    assert "dice.roll: was asked for, but what was said does not fit: `sides` should be" in bot.why(LINK)


def test_a_cooldown_is_told(bot: Bot) -> None:
    bot.come(said("deal", ts="1700000000.000001"))
    bot.come(said("deal"))
    told = bot.why(LINK)
    assert "dice.deal: was used too often; it may be used again" in told


def test_a_skill_that_is_taken_out_of_service_is_told(bot: Bot) -> None:
    bot.routing.draining = frozenset({"dice"})
    bot.come(said("roll"))
    assert "dice.roll: is being taken out of service" in bot.why(LINK)


def test_what_a_plugin_dropped_is_told(bot: Bot) -> None:
    bot.routing = Routing(bot.engine, filter=lambda event: None)
    bot.come(said("roll"))
    assert "a plugin's filter dropped it" in bot.why(LINK)


def test_a_handler_that_was_enabled_later_is_told(bot: Bot) -> None:
    routes, bot.routes = bot.routes, Routes([talk.manifest()])
    bot.come(said("roll"))
    bot.routes = routes
    assert "now dice.roll would be: it was not enabled when this came" in bot.why(LINK)


def test_nothing_is_kept_of_a_decision_where_there_is_nothing_to_say(bot: Bot) -> None:
    """The way of most messages costs nothing."""
    bot.come(said("roll"))
    bot.come(said("well, well", ts="2.000000", addressed=False))
    with bot.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events WHERE decision IS NOT NULL")).scalar() == 0


def test_a_decision_is_small_however_long_the_message_was(bot: Bot) -> None:
    bot.come(said("roll " + "x" * 30_000))
    with bot.engine.connect() as connection:
        kept = connection.execute(text("SELECT decision FROM events")).scalar_one()
    assert len(kept) < 700
    assert json.loads(kept)[0][:2] == ["dice.roll", "arguments"]


# -- where it waits --------------------------------------------------------------------------------------


def test_an_event_that_no_router_has_taken(bot: Bot) -> None:
    bot.receive(said("roll"))
    assert "no router has looked at it yet" in bot.why(LINK)


def test_a_run_waits_for_a_worker(bot: Bot) -> None:
    bot.come(said("roll"))
    assert "waits: in the queue of the skill dice, for a worker that has a free slot" in bot.why(LINK)


def test_a_run_waits_for_the_one_before_it(bot: Bot) -> None:
    (first,) = bot.come(said("roll", ts="1.000000"))
    bot.come(said("roll"))
    assert f"waits: for the run {first[:8].upper()}, which comes before it" in bot.why(LINK)


def test_a_run_of_a_paused_skill(bot: Bot) -> None:
    bot.come(said("roll"))
    with bot.engine.begin() as connection:
        set_state(connection, "dice", "paused", "the table is being cleaned")
    assert "waits: the skill dice is paused: the table is being cleaned" in bot.why(LINK)


def test_a_run_waits_for_its_next_attempt(bot: Bot) -> None:
    (run,) = bot.come(said("roll"))
    bot.claim(run)
    with bot.engine.begin() as connection:
        fail_runs(connection, [Failure(run, bot.owner.id, "RuntimeError: no dice", time.time() + 30)])
    told = bot.why(LINK)
    assert "waits: for its next attempt, in" in told
    assert "1 attempt failed" in told
    assert "the last error: RuntimeError: no dice" in told


def test_a_run_that_is_under_way(bot: Bot) -> None:
    (run,) = bot.come(said("roll"))
    bot.claim(run)
    assert f"is being run, by process {bot.owner.pid} on {bot.owner.host}; attempt 1" in bot.why(LINK)


def test_a_run_that_has_failed_for_good(bot: Bot) -> None:
    (run,) = bot.come(said("roll"))
    bot.claim(run)
    sorry = send(f"{said('').key}|dice.roll.failed|0", text="Sorry")
    with bot.engine.begin() as connection:
        fail_runs(connection, [Failure(run, bot.owner.id, "RuntimeError: no dice", None, sorry)])
    told = bot.why(LINK)
    assert "failed for good and is parked" in told
    assert "send by the apology for dice.roll: 'Sorry' waits for the gateway of acme" in told


# -- what is asked for ------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [LINK, "1700000000.000100", "1A2B3C4D"])
def test_what_the_ledger_does_not_know_is_an_error_that_says_why(bot: Bot, asked: str) -> None:
    with pytest.raises(NotFound, match="retention_days"):
        bot.why(asked)


def test_a_link_to_anything_else_is_an_error(bot: Bot) -> None:
    with pytest.raises(NotFound, match="no link to a message"):
        bot.why("https://example.com/archives/C2/p1700000000000100")


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("https://discord.com/channels/1/22/333", ("22", "333")),
        ("https://ptb.discord.com/channels/@me/22/333", ("22", "333")),
        ("https://discord.com/channels/1/22", None),
        ("https://discord.com.example/channels/1/22/333", None),
    ],
)
def test_links_of_discord(link: str, found: tuple[str, str] | None) -> None:
    assert DiscordAdapter.read_link(link) == found


def test_the_command_prints_it_and_says_when_it_knows_nothing(bot: Bot, tmp_path: Path) -> None:
    bot.come(said("roll 20"))
    config = tmp_path / "dragoman.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path / "store.db"}"\n[accounts.acme]\nplatform = "slack"\n'
        'bot_token = "xoxb-1"\napp_token = "xapp-1"\n'
    )
    known = CliRunner().invoke(cli, ["--config", str(config), "why", LINK])
    assert known.exit_code == 0
    assert "said to the bot: 'roll 20'" in known.output
    unknown = CliRunner().invoke(cli, ["--config", str(config), "why", "https://acme.slack.com/archives/C2/p1"])
    assert unknown.exit_code == 1
