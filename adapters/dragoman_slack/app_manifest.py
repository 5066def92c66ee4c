"""The Slack app manifest: what to create the app from, with the scopes and events that the adapter uses.

The format: https://docs.slack.dev/reference/app-manifest. The scopes and events come from the tables of
``normalise`` and ``methods``. Not in a manifest: the app-level token, which people make by hand with the scope
`APP_TOKEN_SCOPE` on the app's page "Basic Information".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .methods import DIRECTORY, FILES, LOOKUPS, METHODS
from .normalise import SUBSCRIPTIONS

__all__ = ["APP_TOKEN_SCOPE", "COMMAND_SCOPES", "app_manifest", "bot_scopes"]

#: https://docs.slack.dev/reference/scopes/connections.write
APP_TOKEN_SCOPE: Final = "connections:write"  # noqa: S105 - a scope, not a token

#: https://docs.slack.dev/reference/scopes/commands
COMMAND_SCOPES: Final = ("commands",)

#: https://docs.slack.dev/reference/app-manifest#fields: the longest names that Slack takes.
NAME_LIMIT: Final = 35
DESCRIPTION_LIMIT: Final = 140


def bot_scopes() -> tuple[str, ...]:
    """The scopes of the bot token, sorted."""
    events = {scope for _, scopes in SUBSCRIPTIONS.values() for scope in scopes}
    methods = {scope for table in (METHODS, LOOKUPS, DIRECTORY, FILES) for scopes in table.values() for scope in scopes}
    return tuple(sorted({*events, *methods, *COMMAND_SCOPES}))


def app_manifest(
    name: str = "Dragoman",
    description: str = "A bot made with Dragoman",
    commands: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The manifest as data for JSON (or YAML), to paste at https://api.slack.com/apps?new_app=1.

    Args:
        commands: as `dragoman_slack.slash_commands.slash_commands` makes them.

    Raises:
        ValueError: the name or description is empty or too long for Slack.
    """
    if not 0 < len(name) <= NAME_LIMIT:
        raise ValueError(f"the app's name must have 1 to {NAME_LIMIT} characters, not {len(name)}")
    if not 0 < len(description) <= DESCRIPTION_LIMIT:
        raise ValueError(f"the description must have 1 to {DESCRIPTION_LIMIT} characters")
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": name, "description": description},
        "features": {
            # Without the messages tab nobody can write to the bot directly.
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            **({"slash_commands": [dict(command) for command in commands]} if commands else {}),
        },
        "oauth_config": {"scopes": {"bot": list(bot_scopes())}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted(SUBSCRIPTIONS)},
            "interactivity": {"is_enabled": False},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
