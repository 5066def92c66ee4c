"""Actions: one normalised thing to do on a platform.

Skills make them (through the context, or by returning text), gateways perform them. An action's ``key``
is made from (event, handler, ordinal), so a handler that is run again does not post twice.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .address import Address
from .content import Content, FileRef
from .event import Hop
from .model import Frozen

__all__ = [
    "Action",
    "ActionBase",
    "Delete",
    "Edit",
    "Fetch",
    "LookUp",
    "React",
    "Send",
    "Sent",
    "Target",
    "Typing",
    "action_key",
]


class Target(Frozen):
    """Which message: by the platform's own ``id``, or by the ``key`` of the `Send` that made it."""

    id: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> "Target":
        if (self.id is None) == (self.key is None):
            raise ValueError("a target needs either the platform's id or the key of the action that sent it")
        return self


class ActionBase(Frozen):
    """What every action carries.

    Attributes:
        key: what this action is, for ever: the gateway performs each key once.
        address: where to do it.
        run: the run that asked for it; empty when another program did.
        ordinal: its place among the actions of that run; they leave in this order.
        again: whether it may have been published before, so that the gateway must make sure that it
            was not performed already.
        bulk: whether nobody waits for it, so that it may wait for what somebody does wait for.
        hops, traceparent: see `EventBase`.
    """

    v: Literal[1] = 1
    kind: str
    key: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]
    address: Address
    run: str = ""
    ordinal: Annotated[int, Field(ge=0, lt=2**31)] = 0
    again: bool = False
    bulk: bool = False
    hops: tuple[Hop, ...] = ()
    traceparent: str = ""


class Send(ActionBase):
    """Say something. A long text is split by the adapter, never cut.

    Attributes:
        below: a message whose thread it goes to. The gateway makes it the thread of ``address``.
    """

    kind: Literal["send"] = "send"
    content: Content
    below: Target | None = None


class Edit(ActionBase):
    """Replace what the bot said."""

    kind: Literal["edit"] = "edit"
    target: Target
    content: Content


class Delete(ActionBase):
    """Take back what the bot said."""

    kind: Literal["delete"] = "delete"
    target: Target


class React(ActionBase):
    """Put an emoji (a shortcode without colons) on a message, or take the bot's own away.

    Attributes:
        optional: whether nothing is amiss if the platform refuses it, such as an emoji that it does not have.
    """

    kind: Literal["react"] = "react"
    target: Target
    emoji: str
    remove: bool = False
    optional: bool = False


class Typing(ActionBase):
    """Show that the bot is busy; empty ``status`` takes it away. Does nothing where a platform has no such thing."""

    kind: Literal["typing"] = "typing"
    status: str = "is typing..."


class LookUp(ActionBase):
    """Fetch a person or a channel into the directory. The gateway does it itself, and only asks the adapter."""

    kind: Literal["look_up"] = "look_up"
    person: str | None = None
    channel: str | None = None


class Fetch(ActionBase):
    """Bring an attached file into the bot's own keeping. The gateway does it, with `Adapter.download`.

    `Sent.ids` is then the name of its blob.
    """

    kind: Literal["fetch"] = "fetch"
    file: FileRef


Action = Annotated[Send | Edit | Delete | React | Typing | LookUp | Fetch, Field(discriminator="kind")]


class Sent(Frozen):
    """What a platform made of an action: the ids of the messages (a split text makes several)."""

    ids: tuple[str, ...] = ()


def action_key(event_key: str, handler: str, ordinal: int) -> str:
    """The key of the ``ordinal``-th action (from 0) of ``handler`` (``skill.name``) for that event."""
    return f"{event_key}|{handler}|{ordinal}"
