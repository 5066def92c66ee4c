"""Answers to interactions: the response, and what follows it by the webhook.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from typing import Any, Final

from .api_messages import shown
from .call import Answer, Call, Method
from .interaction import Interaction
from .message import COMMAND, EPHEMERAL, LOADING, REPLY, Message
from .posting import check, put
from .refused import Problems, Refused

__all__ = ["METHODS"]

#: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
PONG, MESSAGE, DEFERRED, CHOICES, MODAL = 1, 4, 5, 8, 9
_TYPES: Final = (PONG, MESSAGE, DEFERRED, 6, 7, CHOICES, MODAL, 10, 12)

_MOST_CHOICES: Final = 25

_CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"


def _respond(call: Call) -> Answer:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response"""
    interaction, problems = _of(call), Problems()
    kind, data = call.form.get("type"), call.form.get("data") or {}
    if kind is None:
        problems.required("type")
    else:
        problems.choice("type", kind, _TYPES)
    if kind == MESSAGE:
        check(call, data, problems, "data.")
    problems.done()
    if interaction.callback is not None:
        raise Refused(40060)
    if interaction.late:
        raise Refused(10062)
    if kind not in ((CHOICES,) if interaction.typing else (MESSAGE, DEFERRED)):
        # A slash command takes no choices and no update of a message; modals are not simulated.
        problems.add(
            "type", "INTERACTION_APPLICATION_COMMAND_INVALID_CALLBACK_TYPE", "Interaction callback type is invalid"
        )
        problems.done()
    if kind == CHOICES:
        return _complete(call, interaction, data)
    message = _new(call, interaction, data)
    if kind == MESSAGE:
        put(call, message, data)
    else:
        message.flags |= LOADING
    interaction.callback, interaction.answered = kind, call.simulator.now()
    interaction.original = message
    _post(call, interaction, message)
    if not call.flag("with_response"):
        return Answer()
    about: dict[str, Any] = {
        "id": interaction.id,
        "type": 2,
        "response_message_id": message.id,
        "response_message_loading": message.loading,
        "response_message_ephemeral": message.ephemeral,
        "channel_id": interaction.channel.id,
    }
    if interaction.channel.guild is not None:
        about["guild_id"] = interaction.channel.guild.id
    # "Is thinking" is no resource yet: the published answer has none of type 5.
    resource = {"resource": {"type": kind, "message": shown(call, message)}} if kind == MESSAGE else {}
    return Answer({"interaction": about, **resource})


def _complete(call: Call, interaction: Interaction, data: dict[str, Any]) -> Answer:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-autocomplete"""
    problems, choices = Problems(), data.get("choices")
    if not isinstance(choices, list) or len(choices) > _MOST_CHOICES:
        problems.add("data.choices", "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {_MOST_CHOICES} in length.")
        choices = []
    for number, choice in enumerate(choices):
        problems.text(f"data.choices.{number}.name", choice.get("name"), 100, 1)
        if choice.get("value") is None:
            problems.required(f"data.choices.{number}.value")
    problems.done()
    interaction.callback, interaction.answered = CHOICES, call.simulator.now()
    interaction.choices = choices
    call.simulator.changed()
    return Answer()


def _of(call: Call) -> Interaction:
    return call.simulator.interactions[call.ids.get("interaction_token") or call.ids["webhook_token"]]


def _new(call: Call, interaction: Interaction, body: dict[str, Any]) -> Message:
    message = Message(interaction.channel, call.simulator.clock.new_id(), call.app.user, type=COMMAND)
    message.application_id = message.webhook_id = call.app.id
    message.interaction = interaction.metadata
    if (body.get("flags") or 0) & EPHEMERAL:
        message.flags |= EPHEMERAL
        message.seen_by = interaction.user
    return message


def _post(call: Call, interaction: Interaction, message: Message) -> None:
    interaction.messages.append(message)
    call.simulator.post(message)


def _answered(call: Call) -> Interaction:
    """Nothing follows what was not answered."""
    interaction = _of(call)
    if interaction.original is None:
        raise Refused(10015)
    return interaction


def _follow_up(call: Call) -> Answer:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#create-followup-message

    The first one after "is thinking" takes its place.
    """
    interaction, body, problems = _answered(call), call.form, Problems()
    check(call, body, problems)
    problems.done()
    original = interaction.original
    assert original is not None
    if original.loading and not original.deleted:
        put(call, original, body)
        return _changed(call, original)
    message = _new(call, interaction, body)
    if not message.ephemeral:
        message.type, message.reference, message.referenced = REPLY, original.id, original
    put(call, message, body)
    _post(call, interaction, message)
    return Answer(shown(call, message))


def _message(call: Call) -> Message:
    interaction = _answered(call)
    id = call.ids.get("message_id", "@original")
    found = interaction.original if id == "@original" else next((m for m in interaction.messages if m.id == id), None)
    if found is None or found.deleted:
        raise Refused(10008)
    return found


def _get(call: Call) -> Answer:
    return Answer(shown(call, _message(call)))


def _edit(call: Call) -> Answer:
    message, body, problems = _message(call), call.form, Problems()
    check(call, body, problems)
    problems.done()
    put(call, message, body)
    return _changed(call, message)


def _changed(call: Call, message: Message) -> Answer:
    message.flags &= ~LOADING
    call.simulator.change(message)
    return Answer(shown(call, message))


def _delete(call: Call) -> Answer:
    call.simulator.remove(_message(call))
    return Answer()


METHODS = (
    Method("POST", _CALLBACK, _respond, open=True),
    Method("POST", _WEBHOOK, _follow_up, open=True),
    *(
        Method(verb, f"{_WEBHOOK}/messages/{which}", run, open=True)
        for which in ("@original", "{message_id}")
        for verb, run in (("GET", _get), ("PATCH", _edit), ("DELETE", _delete))
    ),
)
