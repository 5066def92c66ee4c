"""Files that the bot sends.

Slack takes a file in three steps (https://docs.slack.dev/messaging/working-with-files):
``files.getUploadURLExternal`` gives an id and an address, the bytes are posted there, and
``files.completeUploadExternal`` shares what was uploaded in a conversation or thread, all of it in one message.

Slack shares some time after it has answered, when it has looked through the files, so the message's ``ts`` is
not in the answer: ``files.info`` has it in ``shares`` as soon as there is one
(https://docs.slack.dev/reference/objects/file-object, https://github.com/slackapi/bolt-js/issues/2115). Until then the
action is not done, which keeps what is said after it in order.

Such a message can have no metadata. It is found again by the ids of its files, which are kept for a day, by the
action's key, before they are shared. After a crash

* before they were kept, they are uploaded again: what was never shared nobody sees, and Slack drops it,
* before they were shared, the same ids are shared now; if Slack has dropped them, they are uploaded again,
* after that, the message is found, in the conversation or by ``files.info``, and nothing is shared twice. While
  Slack knows the files and shows no message, it may be looking through them: it is not asked again before `GIVEN_UP`.

One gap is left: without the scope ``files:read``, while Slack is still looking through files which it was asked to
share just before the crash, nobody can tell, and Slack is asked once more.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import aiohttp

from dragoman import ActionBase, AdapterServices, DeliveryError, FileRef

from .api import Api
from .hosts import upload_address
from .render import SHARE, TICKET, Call, file_name

__all__ = ["Kept", "Uploads"]

log = logging.getLogger(__name__)

#: Seconds that ids are kept.
KEPT: Final = 86_400.0
#: Seconds to wait for Slack to share; then the action is tried again, and waits again.
PATIENCE: Final = 20.0
#: Seconds after which nobody waits any more.
GIVEN_UP: Final = 900.0
UNKNOWN: Final = frozenset({"file_not_found", "file_deleted"})


@dataclass(frozen=True, slots=True)
class Kept:
    """What was uploaded for an action.

    Attributes:
        ids: of the files, in order; empty if nothing is known of any.
        shared: whether Slack has said that it shares them.
        at: since when this is so, unix seconds.
    """

    ids: tuple[str, ...] = ()
    shared: bool = False
    at: float = 0.0


class Uploads:
    """The uploads of one account.

    Args:
        services: what the gateway keeps for the adapter; asked at each use, since it is set late.
    """

    def __init__(self, account: str, api: Api, services: Callable[[], AdapterServices]) -> None:
        self._account = account
        self._api = api
        self._services = services

    async def kept(self, action: ActionBase) -> Kept:
        """What is known to have been uploaded for it before."""
        found = await self._services().credentials(_name(action)) or {}
        return Kept(tuple(found.get("files") or ()), bool(found.get("shared")), float(found.get("at") or 0.0))

    async def upload(self, action: ActionBase, files: Sequence[FileRef]) -> Kept:
        """Upload, which nobody sees, and keep the ids.

        Raises:
            DeliveryError: a file is empty, too large or otherwise refused, which it names; or Slack is away.
        """
        ids = [await self._upload(file) for file in files]
        return await self._keep(action, Kept(tuple(ids)))

    async def share(self, action: ActionBase, call: Call, kept: Kept, seen: Callable[[], Awaitable[str]]) -> str:
        """Share what was uploaded, and wait for the message; its ts. Empty if Slack has said nothing of it for long.

        Args:
            seen: looks for the message in the conversation: its ts, or nothing.

        Raises:
            DeliveryError: Slack refused, or is not ready yet (``share_pending``, which may be tried again).
        """
        late = time.time() - kept.at > GIVEN_UP
        if not kept.shared and (late or not action.again or not await self._is_known(kept.ids[0])):
            kept, late = await self._share(action, call, kept), False
        for delay in _delays():
            if ts := await self._ts(kept.ids[0], call.arguments["channel_id"], seen):
                return ts
            await asyncio.sleep(delay)
        names = ", ".join(repr(file_name(file)) for file in call.files)
        if late:
            log.warning("%s: Slack has taken %s and does not show it; nobody waits any more", self._account, names)
            return ""
        raise DeliveryError(f"Slack is still looking through {names}", code="share_pending", retry=True)

    async def _share(self, action: ActionBase, call: Call, kept: Kept) -> Kept:
        try:
            await self._complete(call, kept)
        except DeliveryError as error:
            if not action.again or error.code not in UNKNOWN:
                raise
            kept = await self.upload(action, call.files)
            await self._complete(call, kept)
        return await self._keep(action, Kept(kept.ids, shared=True))

    async def _complete(self, call: Call, kept: Kept) -> None:
        titles = call.arguments["files"]
        files = [{"id": id, **title} for id, title in zip(kept.ids, titles, strict=True)]
        await self._api.call(SHARE, {**call.arguments, "files": files})

    async def _keep(self, action: ActionBase, kept: Kept) -> Kept:
        """Among the credentials, since those end by themselves."""
        kept = Kept(kept.ids, kept.shared, time.time())
        body = {"files": list(kept.ids), "shared": kept.shared, "at": kept.at}
        await self._services().keep_credentials(_name(action), body, kept.at + KEPT)
        return kept

    async def _upload(self, file: FileRef) -> str:
        name = file_name(file)
        try:
            with self._services().open_file(file) as source:
                return await self._transfer(name, source)
        except DeliveryError as error:
            if error.code == "no_file":
                raise
            raise DeliveryError(
                f"the file {name!r} was not taken: {error}", code=error.code, retry=error.retry
            ) from None

    async def _transfer(self, name: str, source: BinaryIO) -> str:
        size = source.seek(0, 2)
        source.seek(0)
        if not size:
            # "missing_argument": https://docs.slack.dev/reference/methods/files.getUploadURLExternal#errors
            raise DeliveryError("Slack takes no file without any bytes", code="empty_file")
        ticket = await self._api.call(TICKET, {"filename": name, "length": size})
        id, url = ticket.get("file_id"), ticket.get("upload_url")
        address = upload_address(url, self._api.url) if isinstance(url, str) else None
        if not isinstance(id, str) or address is None:
            raise DeliveryError(f"{TICKET}: Slack gave no address", code="bad_response", retry=True)
        headers = {"Content-Type": "application/octet-stream"}
        try:
            # Without the token: the address is a secret itself.
            async with self._api.session.post(
                address,
                data=source,
                headers=headers,
                proxy=self._api.proxy,
                timeout=self._api.patience,
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            what = type(error).__name__
            raise DeliveryError(f"the upload broke off ({what})", code="connection", retry=True) from None
        if status != 200:
            passing = status == 429 or status >= 500
            raise DeliveryError(f"the upload was answered with HTTP {status}", code=f"http_{status}", retry=passing)
        return id

    async def _is_known(self, id: str) -> bool:
        """Whether Slack has that file: then it was probably asked to share it."""
        try:
            await self._api.call("files.info", {"file": id})
        except DeliveryError as error:
            if error.code in UNKNOWN or error.code == "missing_scope":
                return False
            raise
        return True

    async def _ts(self, id: str, channel: str, seen: Callable[[], Awaitable[str]]) -> str:
        """The message with the file in that channel; nobody else has shared it there, since nobody knew it before."""
        try:
            answer = await self._api.call("files.info", {"file": id})
        except DeliveryError as error:
            if error.code == "missing_scope":
                return await seen()
            if error.code in UNKNOWN:
                return ""
            raise
        file = answer.get("file")
        shares = file.get("shares") if isinstance(file, Mapping) else None
        for kind in shares.values() if isinstance(shares, Mapping) else ():
            found = kind.get(channel) if isinstance(kind, Mapping) else None
            for share in found if isinstance(found, list) else ():
                if isinstance(share, Mapping) and isinstance(ts := share.get("ts"), str):
                    return ts
        return ""


def _delays() -> Iterator[float]:
    """Seconds to wait between looks, `PATIENCE` in all."""
    delay, left = 0.1, PATIENCE
    while left > 0:
        yield delay
        left -= delay
        delay = min(2 * delay, 2.0)


def _name(action: ActionBase) -> str:
    """What its uploads are kept under; an action's key may be longer than an event's."""
    return f"uploads/{hashlib.sha256(action.key.encode()).hexdigest()}"
