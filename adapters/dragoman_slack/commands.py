"""``dragoman slack``: what the command line can do for Slack."""

import json
from pathlib import Path

import click

from dragoman import DragomanError, enabled_manifests

from .app_manifest import app_manifest
from .slash_commands import not_offered, slash_commands

__all__ = ["slack"]


@click.group()
def slack() -> None:
    """Set up Slack."""


@slack.command()
@click.option("--name", default="dragoman", show_default=True, help="What people call the bot.")
@click.option("--description", default="Skills that answer here.", help="A line under its name.")
@click.option(
    "--slash/--no-slash", default=True, help="Offer the commands of the bot's skills as slash commands (default: yes)."
)
@click.pass_context
def manifest(ctx: click.Context, name: str, description: str, slash: bool) -> None:
    """Print the app manifest: paste it at api.slack.com/apps, "Create New App", "From a manifest"."""
    config: Path | None = ctx.find_root().params.get("config")
    try:
        manifests = enabled_manifests(config) if slash else ()
        app = app_manifest(name, description, slash_commands(manifests))
    except (DragomanError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    for word, why in not_offered(manifests).items():
        click.echo(f"not a slash command: {word} ({why}); say it to the bot instead", err=True)
    click.echo(json.dumps(app, indent=2))
