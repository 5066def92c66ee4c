"""One of everything that crosses an exchange, small helpers that make more, and strategies that make any."""

from typing import Any

from hypothesis import strategies as st

from dragoman import (
    NOWHERE,
    Action,
    Address,
    CommandTrigger,
    Content,
    Delete,
    Deleted,
    Edit,
    Edited,
    Event,
    Fetch,
    FileRef,
    HandlerManifest,
    HearTrigger,
    LookUp,
    MemberJoined,
    Message,
    OnTrigger,
    Parameter,
    Person,
    PersonChanged,
    React,
    Reaction,
    Scheduled,
    Send,
    SkillManifest,
    SlashCommand,
    Target,
    Typing,
    Undeliverable,
    Webhook,
)
from dragoman.task import Task, run_id

__all__ = ["ACTIONS", "EVENTS", "HERE", "MANIFEST", "TASK", "actions", "addresses", "events", "message", "send", "task"]

HERE = Address(account="acme", tenant="T1", channel="C2", thread="1700000000.000100")
ANN = Person(id="U1", name="Ann", tenant="T9", locale="en-GB")
PICTURE = FileRef(id="F1", name="cat ü.png", media_type="image/png", size=1234, url="https://files.example/F1")
SAID = Content(text="**roll** 2d6 :wave:", plain="roll 2d6 👋", files=(PICTURE,))
COMMON: dict[str, Any] = {
    "address": HERE,
    "conversation": "channel",
    "person": ANN,
    "addressed": True,
    "occurred": 1700000000.0001,
    "hops": (("gateway", 1700000000.25),),
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
EVENTS: dict[str, Event] = {
    "message": Message(key="acme/message/1", id="m1", content=SAID, request="roll 2d6", **COMMON),
    "edited": Edited(key="acme/edited/1/2", id="m1", content=SAID, request="roll 2d8", **COMMON),
    "deleted": Deleted(key="acme/deleted/1", id="m1", **COMMON),
    "reaction": Reaction(key="acme/reaction/1", id="m1", emoji="wave", added=False, **COMMON),
    "member_joined": MemberJoined(key="acme/joined/1", invited_by="U2", **COMMON),
    "slash": SlashCommand(key="acme/slash/1", name="deploy start", text="web", options={"app": "web"}, **COMMON),
    "person_changed": PersonChanged(
        key="acme/person/1",
        **{**COMMON, "person": Person(id="U1", name="Ann", timezone="Asia/Tokyo", roles=("admin",))},
    ),
    "schedule": Scheduled(
        key="schedule/1", channel_name="general", skill="remind", handler="due", due=5.5, arguments={"x": 1}, **COMMON
    ),
    "webhook": Webhook(
        key="webhook/1",
        **{**COMMON, "address": NOWHERE},
        skill="ci",
        handler="built",
        path="/build",
        query={"q": "1"},
        headers={"x-event": "push"},
        media_type="application/json",
        body="{}",
    ),
    "undeliverable": Undeliverable(
        key="undeliverable|1",
        **COMMON,
        skill="dice",
        handler="roll",
        action="message/1|dice.roll|0",
        what="send",
        text="5",
        code="is_archived",
        reason="chat.postMessage: is_archived",
        answered="message/1",
    ),
}
ASKED: dict[str, Any] = {
    "address": HERE,
    "run": "aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ordinal": 3,
    "again": True,
    "hops": (("gateway", 1700000000.25), ("handler", 1700000001.5)),
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
ACTIONS: dict[str, Action] = {
    "send": Send(key="acme/message/1|dice.roll|0", content=Content(text="**7**"), **ASKED),
    "edit": Edit(key="k|dice.roll|1", target=Target(key="k|dice.roll|0"), content=Content(text="8"), **ASKED),
    "delete": Delete(key="k|dice.roll|2", target=Target(id="m1"), **ASKED),
    "react": React(key="k|dice.roll|3", target=Target(id="m1"), emoji="tada", remove=True, **ASKED),
    "typing": Typing(key="k|dice.roll|4", status="rolls...", **ASKED),
    "look_up": LookUp(key="k|dice.roll|look up U2", person="U2", **ASKED),
    "fetch": Fetch(key="k|dice.roll|fetch 1 f", file=PICTURE, **ASKED),
}
TASK = Task(
    run="aaaaaaaaaaaaaaaaaaaaaaaaaa",
    skill="dice",
    handler="roll",
    event=EVENTS["message"],
    arguments={"dice": "2d6", "times": 2, "loud": True, "factor": 1.5},
    attempt=2,
    hops=(("router", 1700000001.0),),
)
MANIFEST = SkillManifest(
    name="dice",
    summary="Roll dice",
    pool="games",
    retries=3,
    time_limit=10.0,
    origin="dragoman 0.1.0",
    handlers=(
        HandlerManifest(
            name="roll",
            trigger=CommandTrigger(names=("roll", "throw")),
            summary="Roll dice.",
            description="Several times if you like.",
            parameters=(
                Parameter(name="dice", required=False, default="1d6", description="what"),
                Parameter(name="times", kind="integer", required=False, default=1, ge=1, le=20),
                Parameter(name="how", kind="choice", choices=("high", "low"), flag_only=True, required=False),
            ),
        ),
        HandlerManifest(name="hear", trigger=HearTrigger(pattern=r"\bdice\b", ignore_case=False)),
        HandlerManifest(name="seen", trigger=OnTrigger(event="reaction")),
    ),
)


def message(
    request: str = "", *, key: str = "e1", addressed: bool = True, bot: bool = False, plain: str | None = None
) -> Message:
    """Somebody says it."""
    said = request if plain is None else plain
    return Message(
        key=key,
        address=HERE,
        conversation="channel",
        person=Person(id="U1", bot=bot),
        addressed=addressed,
        id="m1",
        content=Content(text=said, plain=said),
        request=request,
    )


def task(event: Event | None = None, skill: str = "dice", handler: str = "roll", **arguments: Any) -> Task:
    """A run of a handler for an event."""
    event = event or message("roll")
    return Task(run=run_id(event.key, skill, handler), skill=skill, handler=handler, event=event, arguments=arguments)


def send(key: str = "e1|dice.roll|0", *, run: str = "", ordinal: int = 0, text: str = "hello") -> Send:
    """Say it there."""
    return Send(key=key, address=HERE, run=run, ordinal=ordinal, content=Content(text=text))


# Any text that can be UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
numbers = st.floats(allow_nan=False, allow_infinity=False)
accounts = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")
addresses = st.builds(Address, account=accounts, tenant=ids, channel=ids, thread=st.none() | ids)
hops = st.lists(st.tuples(texts, numbers), max_size=3).map(tuple)
people = st.builds(
    Person,
    id=texts,
    name=texts,
    tenant=st.none() | texts,
    locale=st.none() | texts,
    bot=st.booleans(),
    timezone=st.none() | texts,
    roles=st.lists(texts, max_size=2).map(tuple),
)
mappings = st.dictionaries(texts, texts, max_size=2)
blobs = st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex)
files = st.builds(
    FileRef, id=texts, name=texts, media_type=texts, size=st.none() | st.integers(), url=texts, blob=blobs
)
contents = st.builds(Content, text=texts, plain=texts, files=st.lists(files, max_size=2).map(tuple))
targets = st.one_of(st.builds(Target, id=texts), st.builds(Target, key=texts))

_event: dict[str, Any] = {
    "key": keys,
    "address": addresses,
    "conversation": st.sampled_from(["direct", "group", "channel"]),
    "person": st.none() | people,
    "addressed": st.booleans(),
    "occurred": numbers,
    "hops": hops,
    "traceparent": texts,
}
_action: dict[str, Any] = {
    "key": keys,
    "address": addresses,
    "run": texts,
    "ordinal": st.integers(0, 2**31 - 1),
    "again": st.booleans(),
    "hops": hops,
    "traceparent": texts,
}
#: Any event, by kind.
events: dict[str, st.SearchStrategy[Event]] = {
    "message": st.builds(Message, id=texts, content=contents, request=texts, **_event),
    "edited": st.builds(Edited, id=texts, content=contents, request=texts, **_event),
    "deleted": st.builds(Deleted, id=texts, **_event),
    "reaction": st.builds(Reaction, id=texts, emoji=texts, added=st.booleans(), **_event),
    "member_joined": st.builds(MemberJoined, invited_by=st.none() | texts, **_event),
    "slash": st.builds(SlashCommand, name=texts, text=texts, options=st.none() | mappings, **_event),
    "person_changed": st.builds(PersonChanged, **_event),
    "schedule": st.builds(Scheduled, skill=texts, handler=texts, due=numbers, arguments=mappings, **_event),
    "webhook": st.builds(
        Webhook, skill=texts, handler=texts, path=texts, query=mappings, headers=mappings, body=texts, **_event
    ),
    "undeliverable": st.builds(
        Undeliverable,
        skill=texts,
        handler=texts,
        action=texts,
        what=texts,
        text=texts,
        code=texts,
        reason=texts,
        answered=texts,
        **_event,
    ),
}
#: Any action, by kind.
actions: dict[str, st.SearchStrategy[Action]] = {
    "send": st.builds(Send, content=contents, below=st.none() | targets, **_action),
    "edit": st.builds(Edit, target=targets, content=contents, **_action),
    "delete": st.builds(Delete, target=targets, **_action),
    "react": st.builds(React, target=targets, emoji=texts, remove=st.booleans(), **_action),
    "typing": st.builds(Typing, status=texts, **_action),
    "look_up": st.builds(LookUp, person=st.none() | texts, channel=st.none() | texts, **_action),
    "fetch": st.builds(Fetch, file=files, **_action),
}
