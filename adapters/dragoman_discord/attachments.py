"""Files as a message has them: what they are called, how many go into one, and whether they are there. Pure.

Discord takes out of a file's name what is not ASCII, and blanks, quotes and the like; the name that was given is then
the attachment's ``title``, without its extension (https://github.com/discord/discord-api-docs/pull/6945 and
https://github.com/discord/discord-api-docs/issues/7754).
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dragoman import FileRef

__all__ = ["MOST", "attached", "batches", "described", "given_name", "same", "shown_name"]

#: Files that a message has at most: https://docs.discord.com/developers/resources/message#create-message (the
#: published schema of ``attachments``).
MOST: Final = 10
#: "The maximum request size when sending a message is 25 MiB", the rest of the request included
#: (https://docs.discord.com/developers/resources/message#create-message).
REQUEST: Final = 24 * 1024 * 1024
#: Characters of a file's name, as published.
LONGEST: Final = 1024


def shown_name(file: FileRef) -> str:
    """What a file is called: without folders and control characters, and never empty."""
    name = (file.name or file.id).replace("\\", "/").rstrip("/").rpartition("/")[2]
    clean = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cs"))[-LONGEST:].strip()
    return clean if clean.strip(".") else "file"


def batches(files: Iterable[FileRef]) -> tuple[tuple[FileRef, ...], ...]:
    """The files to upload, as many as one message takes together. One that is too large by itself goes alone."""
    found: list[list[FileRef]] = []
    room = 0
    for file in files:
        if not file.blob:
            continue
        size = file.size or 0
        if not found or len(found[-1]) == MOST or size > room:
            found.append([])
            room = REQUEST
        found[-1].append(file)
        room -= size
    return tuple(map(tuple, found))


def described(files: Sequence[FileRef]) -> list[dict[str, Any]]:
    """What ``attachments`` says of files that are uploaded with it; ``id`` is the n of ``files[n]``
    (https://docs.discord.com/developers/reference#uploading-files)."""
    return [{"id": str(number), "filename": shown_name(file)} for number, file in enumerate(files)]


def given_name(attachment: Mapping[str, Any]) -> str:
    """What a file was called when it was sent: from an attachment object's ``filename`` and ``title``
    (https://docs.discord.com/developers/resources/message#attachment-object)."""
    name, title = _text(attachment.get("filename")), _text(attachment.get("title"))
    if not title:
        return name
    _, dot, extension = name.rpartition(".")
    ending = dot + extension if dot else ""
    return title if title.lower().endswith(ending.lower()) else title + ending


def attached(files: Sequence[FileRef], attachments: object) -> bool:
    """Whether a message's attachment objects are just these files, in this order."""
    there = [each for each in attachments if isinstance(each, Mapping)] if isinstance(attachments, list) else []
    return len(there) == len(files) and all(map(same, files, there))


def same(file: FileRef, attachment: Mapping[str, Any]) -> bool:
    """Whether an attachment object is that file, as far as can be told: by its size, or else by its name."""
    size = attachment.get("size")
    if file.size is not None and isinstance(size, int):
        return file.size == size
    return _letters(shown_name(file)) == _letters(given_name(attachment))


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    return "".join(char for char in plain if char.isascii() and char.isalnum()).lower()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
