"""Dragoman: write a chat skill once; it runs on every platform.

This is the one door: plugins and adapters import from here, and from nowhere else in the framework.
"""

from .action import Action, ActionBase, Delete, Edit, Fetch, LookUp, React, Send, Sent, Target, Typing, action_key
from .adapter import AccountSettings, Adapter, Receive
from .adapter_services import AdapterServices, MemoryServices
from .address import NOWHERE, Address
from .arguments import usage
from .capabilities import Ability, Capabilities, no, yes
from .content import Content, FileRef
from .context import Context
from .cooldown import Cooldown
from .duration import format_duration
from .enabled import enabled_manifests
from .errors import (
    AccountError,
    AddressError,
    ArgumentsError,
    BrokerError,
    CatalogueError,
    DeliveryError,
    DragomanError,
    PluginError,
    SettingsError,
    SkillError,
    StoreError,
    UnroutableError,
    WireError,
)
from .event import (
    ChannelInfo,
    Conversation,
    Deleted,
    Edited,
    Event,
    EventBase,
    MemberJoined,
    Message,
    Person,
    PersonChanged,
    Reaction,
    Scheduled,
    SlashCommand,
    Undeliverable,
    Webhook,
)
from .handle import Handle
from .hooks import hookimpl
from .manifest import HandlerManifest, SkillManifest
from .pacing import Pacing
from .parameter import Parameter
from .people import Channel, User
from .plugin import Plugin, PluginSettings
from .quoting import literal
from .reading import wanted
from .skill import Skill
from .triggers import (
    CommandTrigger,
    HearTrigger,
    MentionTrigger,
    OnTrigger,
    ScheduleTrigger,
    Trigger,
    UndeliverableTrigger,
    WebhookTrigger,
)
from .when import read_moment

__all__ = [
    "NOWHERE",
    "Ability",
    "AccountError",
    "AccountSettings",
    "Action",
    "ActionBase",
    "Adapter",
    "AdapterServices",
    "Address",
    "AddressError",
    "ArgumentsError",
    "BrokerError",
    "Capabilities",
    "CatalogueError",
    "Channel",
    "ChannelInfo",
    "CommandTrigger",
    "Content",
    "Context",
    "Conversation",
    "Cooldown",
    "Delete",
    "Deleted",
    "DeliveryError",
    "DragomanError",
    "Edit",
    "Edited",
    "Event",
    "EventBase",
    "Fetch",
    "FileRef",
    "Handle",
    "HandlerManifest",
    "HearTrigger",
    "LookUp",
    "MemberJoined",
    "MemoryServices",
    "MentionTrigger",
    "Message",
    "OnTrigger",
    "Pacing",
    "Parameter",
    "Person",
    "PersonChanged",
    "Plugin",
    "PluginError",
    "PluginSettings",
    "React",
    "Reaction",
    "Receive",
    "ScheduleTrigger",
    "Scheduled",
    "Send",
    "Sent",
    "SettingsError",
    "Skill",
    "SkillError",
    "SkillManifest",
    "SlashCommand",
    "StoreError",
    "Target",
    "Trigger",
    "Typing",
    "Undeliverable",
    "UndeliverableTrigger",
    "UnroutableError",
    "User",
    "Webhook",
    "WebhookTrigger",
    "WireError",
    "action_key",
    "enabled_manifests",
    "format_duration",
    "hookimpl",
    "literal",
    "no",
    "read_moment",
    "usage",
    "wanted",
    "yes",
]
