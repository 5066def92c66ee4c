"""A plugin that changes what happens on the way: filters, wrappers, commands. With settings of its own."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

__all__ = ["Plugin", "PluginSettings"]


class PluginSettings(BaseModel):
    """What ``[plugins.NAME]`` may hold. A plugin's own settings derive from this; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Plugin:
    """Derive from it, and mark methods with `hookimpl`; see `dragoman.hooks` for what there is.

    An entry point in the group ``dragoman.plugins`` names the subclass, and ``[bot] plugins`` enables it. Each
    router, gateway and worker process makes one object. A plugin without settings may be a plain module as well.
    """

    #: How ``[plugins.NAME]`` is read.
    Settings: ClassVar[type[BaseModel]] = PluginSettings

    def __init__(self, settings: Any) -> None:
        self.settings = settings
