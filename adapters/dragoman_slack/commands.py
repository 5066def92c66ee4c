"""``dragoman slack``: what the command line can do for Slack."""

import json

import click

from .app_manifest import app_manifest

__all__ = ["slack"]


@click.group()
def slack() -> None:
    """Set up Slack."""


@slack.command()
@click.option("--name", default="dragoman", show_default=True, help="What people call the bot.")
@click.option("--description", default="Skills that answer here.", help="A line under its name.")
def manifest(name: str, description: str) -> None:
    """Print the app manifest: paste it at api.slack.com/apps, "Create New App", "From a manifest"."""
    click.echo(json.dumps(app_manifest(name, description), indent=2))
