"""What a message says: CommonMark text, and references to files.

CommonMark is the one markup between platforms; adapters translate to and from their own. People and
channels are links with a ``dragoman:`` address, so they survive any CommonMark tool::

    [@Ann](dragoman:user/U123)   [#general](dragoman:channel/C123)   [@here](dragoman:everyone/here)

Emoji are shortcodes, ``:wave:``.
"""

from typing import Annotated, Final

from pydantic import Field

from .model import Frozen

__all__ = ["MOST_FILES", "Content", "FileRef"]

#: Of one message: several times what any platform takes.
MOST_FILES: Final = 100


class FileRef(Frozen):
    """A file: what it is and where its bytes are, never the bytes.

    `Context.fetch` brings what somebody attached into the bot's own keeping, `Context.attach` puts a file of a
    skill's there; both give a reference with a ``blob``, which can be sent on any platform.

    Attributes:
        id: the platform's id of the file; of a skill's own file, its blob.
        name: the file's name, as the person gave it.
        media_type: the media type, such as ``image/png``; empty if the platform does not say.
        size: bytes, or ``None`` if the platform does not say.
        url: where the platform keeps it (a download needs the account's token).
        blob: the name of its bytes in the bot's own keeping (see `dragoman.blobs`); empty if they are not there.
    """

    id: str
    name: str = ""
    media_type: str = ""
    size: int | None = None
    url: str = ""
    blob: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


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
    files: Annotated[tuple[FileRef, ...], Field(max_length=MOST_FILES)] = ()
