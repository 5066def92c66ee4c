"""How the API refuses. https://docs.discord.com/developers/topics/opcodes-and-status-codes#json"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["ERRORS", "Problems", "Refused"]

#: Discord's error codes that are simulated: HTTP status and message.
ERRORS: Final[Mapping[int, tuple[int, str]]] = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit."),
    30010: (403, "Maximum number of reactions reached (20)"),
    30032: (400, "Maximum number of application commands reached (100)"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160004: (400, "A thread has already been created for this message"),
}


class Refused(Exception):
    """The call is answered with an error.

    Args:
        code: one of `ERRORS`, or 0 for what has none, such as 401 and 404.
        status: the HTTP status, for ``code`` 0.
    """

    def __init__(
        self, code: int, *, status: int = 0, message: str = "", errors: Mapping[str, Any] | None = None
    ) -> None:
        known = ERRORS.get(code, (status, message))
        super().__init__(message or known[1])
        self.code = code
        self.status = status or known[0]
        self.message = message or known[1]
        self.errors = errors

    @property
    def payload(self) -> dict[str, Any]:
        """The error object. https://docs.discord.com/developers/reference#error-messages"""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = dict(self.errors)
        return body


class Problems:
    """What is wrong with a form body, field by field; raises them together as 50035."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}

    def add(self, path: str, code: str, message: str) -> None:
        """Something is wrong at a dotted path; an empty one stands for the body itself."""
        node = self._tree
        for part in path.split(".") if path else []:
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: str) -> None:
        """A field is missing."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def length(self, path: str, text: str, most: int, least: int = 0) -> None:
        """A text must have so many characters."""
        if least <= len(text) <= most:
            return
        if least:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        else:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def text(self, path: str, value: object, most: int, least: int = 0) -> str:
        """A text of so many characters."""
        if not isinstance(value, str):
            if value is None:
                self.required(path)
            else:
                self.add(path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
            return ""
        self.length(path, value, most, least)
        return value

    def snowflake(self, path: str, value: object) -> str:
        """An id, as a text or as a number."""
        text = str(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or not (text.isascii() and text.isdigit()):
            self.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return text

    def choice(self, path: str, value: object, choices: tuple[object, ...]) -> None:
        """One of these."""
        if value not in choices or isinstance(value, bool):
            listed = ", ".join(map(str, choices))
            self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")

    def done(self) -> None:
        """Refuse the call if anything was wrong."""
        if self._tree:
            raise Refused(50035, errors=self._tree)
