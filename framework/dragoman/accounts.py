"""From ``[accounts.*]`` in the settings to adapters that can be run."""

import logging
from collections.abc import Collection

from pydantic import ValidationError

from .adapter import Adapter
from .errors import PluginError, SettingsError
from .plugins import Problems, load_adapters
from .redaction import register_from
from .settings import Settings, explain

__all__ = ["make_adapters"]

log = logging.getLogger(__name__)


def make_adapters(settings: Settings, only: Collection[str] = ()) -> dict[str, Adapter]:
    """An adapter for each account (or those named in ``only``); those of a broken adapter are left out.

    Raises:
        SettingsError: there is no account, or one has settings that its adapter does not take.
        PluginError: an adapter is missing, or broken, if ``[bot] strict`` says so or no other account is left.
    """
    if unknown := set(only) - settings.accounts.keys():
        known = ", ".join(sorted(settings.accounts)) or "none"
        raise SettingsError(f"there is no account {min(unknown)!r} in the settings (there are: {known})")
    wanted = {name: account for name, account in settings.accounts.items() if not only or name in only}
    if not wanted:
        raise SettingsError(
            "no account is configured: add [accounts.NAME] with a platform to dragoman.toml, "
            "or try your skills without one: dragoman chat"
        )
    problems: Problems = {}
    platforms = load_adapters(
        {str(account["platform"]) for account in wanted.values()}, strict=settings.bot.strict, problems=problems
    )
    if problems and not platforms:
        raise PluginError("; ".join(problems.values()))
    for problem in problems.values():
        log.error("%s; the other accounts go on without it", problem)
    adapters: dict[str, Adapter] = {}
    wrong: list[str] = []
    for name, account in wanted.items():
        adapter = platforms.get(str(account["platform"]))
        if adapter is None:
            continue
        try:
            found = adapter.Settings.model_validate(account)
            register_from(found)
            adapters[name] = adapter(name, found)
        except ValidationError as error:
            wrong += explain(error, adapter.Settings, f"accounts.{name}")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return adapters
