"""What a message says: CommonMark text, and references to files.

CommonMark is the one markup between platforms; adapters translate to and from their own. People and
channels are links with a ``dragoman:`` address, so they survive any CommonMark tool::

    [@Ann](dragoman:user/U123)   [#general](dragoman:channel/C123)   [@here](dragoman:everyone/here)

Emoji are shortcodes, ``:wave:``.
"""

from .model import Frozen

__all__ = ["Content", "FileRef"]


class FileRef(Frozen):
    """A file that somebody attached: what it is and where its bytes are, never the bytes.

    Attributes:
        id: the platform's id of the file.
        name: the file's name, as the person gave it.
        media_type: the media type, such as ``image/png``; empty if the platform does not say.
        size: bytes, or ``None`` if the platform does not say.
        url: where the platform keeps it (a download needs the account's token).
    """

    id: str
    name: str = ""
    media_type: str = ""
    size: int | None = None
    url: str = ""


class Content(Frozen):
    """The words and files of a message.

    Attributes:
        text: CommonMark.
        plain: what the person typed, without markup escapes; mentions are ``<@id>`` and ``<#id>``.
            Commands and patterns are matched against this. Empty in what the bot says.
        files: what is attached.
    """

    text: str = ""
    plain: str = ""
    files: tuple[FileRef, ...] = ()
