"""Every error that Dragoman raises on purpose. Each says what to do next."""

__all__ = [
    "AccountError",
    "AddressError",
    "ArgumentsError",
    "BrokerError",
    "CatalogueError",
    "DeliveryError",
    "DragomanError",
    "PluginError",
    "SettingsError",
    "SkillError",
    "StoreError",
    "UnroutableError",
    "WireError",
]


class DragomanError(Exception):
    """The root of all of them: catch this to catch any error that Dragoman raises on purpose."""


class AddressError(DragomanError, ValueError):
    """A text that should be an address is not one."""


class WireError(DragomanError):
    """Bytes that cannot be read as what they should be.

    Attributes:
        reason: one short word for counting: ``json``, ``version``, ``kind``, ``shape``, ``size``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class SettingsError(DragomanError):
    """A setting is missing, misspelt or wrong; the message names it and its source."""


class PluginError(DragomanError):
    """A plugin could not be loaded or does not fit; the message names the plugin."""


class SkillError(DragomanError):
    """A skill is declared wrongly; the message names the skill and the handler."""


class ArgumentsError(DragomanError):
    """What a person typed does not fit a command.

    Attributes:
        usage: the usage line of the command, such as ``roll [dice] [times]``.
    """

    def __init__(self, message: str, *, usage: str) -> None:
        super().__init__(message)
        self.usage = usage


class CatalogueError(DragomanError):
    """Skills that cannot be served together, or a trigger that cannot be matched; names the culprits."""


class BrokerError(DragomanError):
    """The broker cannot be reached or refused something."""


class StoreError(DragomanError):
    """The store cannot be reached or refused something."""


class UnroutableError(BrokerError):
    """A message was published for which there is no queue."""


class AccountError(DragomanError):
    """An account cannot work as configured (such as a wrong token): trying again will not help.

    Attributes:
        account: the account's name in the settings.
    """

    def __init__(self, message: str, *, account: str) -> None:
        super().__init__(message)
        self.account = account


class DeliveryError(DragomanError):
    """The platform refused an action.

    Attributes:
        code: the platform's own error code, such as Slack's ``channel_not_found``.
        retry: whether the same call may succeed later.
        after: seconds that the platform wants to be left alone for, where it says so: nothing was done, and the call
            may be repeated then. Until then, nothing else is said either.
        whole: whether that is so for the whole account, and not only for the channel that the action was for.
    """

    def __init__(
        self, message: str, *, code: str, retry: bool = False, after: float | None = None, whole: bool = True
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry
        self.after = after
        self.whole = whole
