"""Dragoman: write a chat skill once; it runs on every platform.

This is the one door: plugins and adapters import from here, and from nowhere else in the framework.
"""

from .action import Action, ActionBase, Delete, Edit, React, Send, Sent, Target, Typing, action_key
from .adapter import AccountSettings, Adapter, Receive
from .address import Address
from .arguments import usage
from .content import Content, FileRef
from .context import Context, Handle
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
from .event import Conversation, Deleted, Edited, Event, EventBase, MemberJoined, Message, Person, Reaction
from .hooks import hookimpl
from .manifest import CommandTrigger, HandlerManifest, HearTrigger, OnTrigger, Parameter, SkillManifest
from .skill import Skill

__all__ = [
    "AccountError",
    "AccountSettings",
    "Action",
    "ActionBase",
    "Adapter",
    "Address",
    "AddressError",
    "ArgumentsError",
    "BrokerError",
    "CatalogueError",
    "CommandTrigger",
    "Content",
    "Context",
    "Conversation",
    "Delete",
    "Deleted",
    "DeliveryError",
    "DragomanError",
    "Edit",
    "Edited",
    "Event",
    "EventBase",
    "FileRef",
    "Handle",
    "HandlerManifest",
    "HearTrigger",
    "MemberJoined",
    "Message",
    "OnTrigger",
    "Parameter",
    "Person",
    "PluginError",
    "React",
    "Reaction",
    "Receive",
    "Send",
    "Sent",
    "SettingsError",
    "Skill",
    "SkillError",
    "SkillManifest",
    "StoreError",
    "Target",
    "Typing",
    "UnroutableError",
    "WireError",
    "action_key",
    "hookimpl",
    "usage",
]
