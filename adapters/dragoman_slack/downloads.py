"""Files that people attached: their bytes.

``url_private`` wants the bot token as a bearer, and the scope ``files:read``; without it Slack answers with its login
page, or sends on to it (https://docs.slack.dev/reference/objects/file-object). The token goes only where
`dragoman_slack.hosts` allows, also when Slack sends on.

Of a file from another organisation (Slack Connect) events have only the id, with ``"file_access":
"check_file_info"``: ``files.info`` tells the rest (https://docs.slack.dev/reference/events/message/file_share).
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from dragoman import DeliveryError, FileRef

from .api import Api
from .hosts import file_address

__all__ = ["download"]

#: Bytes that are handed on at once.
PIECE: Final = 64 * 1024
MOST_REDIRECTS: Final = 3
#: Refusals that mean that there is no such file (any more), or that it was never ours to see.
#: https://docs.slack.dev/reference/methods/files.info#errors
GONE: Final = frozenset({"file_not_found", "file_deleted"})
WANTED: Final = (
    "the token lacks the scope files:read, or may not see it: add the scope to the app (`dragoman slack manifest` "
    "lists all that are needed) and install it again"
)


async def download(api: Api, file: FileRef) -> AsyncIterator[bytes]:
    """The bytes of a file, in pieces.

    Raises:
        DeliveryError: its address is not Slack's (``bad_url``), there is no such file (``no_file``), the scope is
            missing (``missing_scope``), or Slack cannot be asked now.
    """
    name = repr(file.name or file.id)
    url = file.url or await _address(api, file.id, name)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            address = file_address(url, api.url)
            if address is None:
                raise _not_slacks(url, name)
            headers = {"Authorization": api.bearer, "Accept-Encoding": "identity"}
            async with api.session.get(
                address, headers=headers, proxy=api.proxy, timeout=api.patience, allow_redirects=False
            ) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = _next(address, answer.headers.get("Location", ""), api, name)
                    continue
                _accept(answer, file, name)
                async for piece in answer.content.iter_chunked(PIECE):
                    yield piece
                return
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        what = type(error).__name__
        raise DeliveryError(f"the file {name} did not come ({what})", code="connection", retry=True) from None
    raise DeliveryError(f"the file {name} is sent on without end", code="bad_url")


async def _address(api: Api, id: str, name: str) -> str:
    try:
        answer = await api.call("files.info", {"file": id})
    except DeliveryError as error:
        if error.code in GONE:
            raise DeliveryError(f"Slack has no file {name} (any more)", code="no_file") from None
        raise
    found = answer.get("file")
    described: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    url = described.get("url_private_download") or described.get("url_private")
    if not isinstance(url, str) or not url:
        raise DeliveryError(f"Slack does not say where the file {name} is", code="no_file")
    return url


def _not_slacks(url: str, name: str) -> DeliveryError:
    """The whole address may have a secret in it, so only its host is said."""
    try:
        host = URL(url).host
    except ValueError:
        host = None
    return DeliveryError(
        f"the file {name} is not kept by Slack but at {host or 'no host'}: not fetched", code="bad_url"
    )


def _next(address: URL, location: str, api: Api, name: str) -> str:
    """Where Slack sends on to, if the token may go there."""
    try:
        found = str(address.join(URL(location)))
    except ValueError:
        found = ""
    if not location or file_address(found, api.url) is None:
        raise DeliveryError(
            f"the file {name}: Slack sends on to another host, its login page perhaps: {WANTED}", code="missing_scope"
        )
    return found


def _accept(answer: aiohttp.ClientResponse, file: FileRef, name: str) -> None:
    status = answer.status
    if status in (404, 410):
        raise DeliveryError(f"Slack has no file {name} (any more)", code="no_file")
    if status == 429 or status >= 500:
        raise DeliveryError(f"the file {name}: HTTP {status}", code=f"http_{status}", retry=True)
    if status in (401, 403) or _is_page(answer, file):
        raise DeliveryError(f"the file {name}: {WANTED}", code="missing_scope")
    if status != 200:
        raise DeliveryError(f"the file {name}: HTTP {status}", code=f"http_{status}")


def _is_page(answer: aiohttp.ClientResponse, file: FileRef) -> bool:
    """Whether this is a page for people. A file that is HTML comes as an attachment, or has its own size."""
    if answer.content_type != "text/html":
        return False
    as_file = answer.headers.get("Content-Disposition", "").lower().startswith("attachment")
    sized = file.media_type == "text/html" and file.size is not None and answer.content_length == file.size
    return not as_file and not sized
