"""slack_sdk's Socket Mode client, made lean and made to give up when trying again will not help.

What is different from the SDK's (https://docs.slack.dev/apis/events-api/using-socket-mode/):

* A token that Slack refuses ends it with an error; the SDK's tries for ever.
* Every attempt to connect uses a new address: a ticket is good for one connection, the SDK's uses it again.
* A broken connection is replaced at once; the SDK's waits for its next check, 5 to 10 seconds.
* Each message is decoded once and handled in a task that is kept until it ends.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from aiohttp import WSMsgType
from pydantic_core import from_json
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from dragoman import AccountError, DeliveryError
from dragoman.adapting import delays

from .api import Api, account_error, quiet_logger

__all__ = ["Socket"]

log = logging.getLogger(__name__)

#: Bytes of a frame: many times what the longest message takes with all that Slack says about it.
LARGEST_FRAME: Final = 8 * 1024 * 1024
#: Seconds without a word from Slack after which something may have been missed: pongs come more often.
GAP: Final = 30.0


class Socket(SocketModeClient):
    """The connection of one account.

    Args:
        handle: given each envelope; runs in a task of its own, many at a time.
        hello: called at the first ``hello``: from now on events come.
        back: called at a later one, if nothing had come for a while before it.

    Attributes:
        failed: gets the `AccountError` that ends it; never a result.
    """

    def __init__(
        self,
        account: str,
        api: Api,
        handle: Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]],
        hello: Callable[[], None],
        *,
        connect_timeout: float = 30.0,
        back: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            app_token="",  # the API client has it
            logger=quiet_logger(f"{__name__}.sdk"),
            web_client=api.client,
        )
        self.proxy = api.proxy
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._account = account
        self._api = api
        self._handle = handle
        self._hello = hello
        self._connect_timeout = connect_timeout
        self._back = back
        self._greeted = False
        #: When something came last, by the monotonic clock, and the longest silence since the last ``hello``.
        self._heard = time.monotonic()
        self._silence = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def issue_new_wss_url(self) -> str:
        """A new address. Raises `AccountError` if the app token is no good, else what `Api.call` does."""
        try:
            return await self._api.socket_url()
        except DeliveryError as error:
            if error.retry:
                raise
            raise account_error(self._account, "app_token", error) from None

    async def connect(self) -> None:
        """Connect, however often it takes; returns when connected, closed, or `failed`."""
        delay = delays()
        while not self.closed:
            try:
                await self._connect_once()
                return
            except AccountError as error:
                self.closed = True
                if not self.failed.done():
                    self.failed.set_exception(error)
                return
            except Exception as error:  # whatever it is: an address has a ticket in it, so only its kind is said
                wait = delay()
                what = str(error) if isinstance(error, DeliveryError) else type(error).__name__
                log.warning("%s: cannot connect to Slack (%s); again in %.1f s", self._account, what, wait)
                await asyncio.sleep(wait)

    async def _connect_once(self) -> None:
        # The old connection's monitor and receiver see that it is no longer the current one, and end.
        old, self.current_session = self.current_session, None
        if old is not None:
            self.spawn(_close(old))
        async with asyncio.timeout(self._connect_timeout):
            self.current_session = await self.aiohttp_client_session.ws_connect(
                await self.issue_new_wss_url(),
                autoping=False,
                heartbeat=self.ping_interval,
                proxy=self.proxy,
                max_msg_size=LARGEST_FRAME,
            )
        self.stale = False
        self.last_ping_pong_time = None
        await self.current_session.ping(f"sdk-ping-pong:{time.time()}".encode())
        self.current_session_monitor = self.spawn(self.monitor_current_session())
        self.message_receiver = self.spawn(self.receive_messages())

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Replace the connection, unless another task has done so meanwhile."""
        session = self.current_session
        async with self.connect_operation_lock:
            if self.current_session is session and (force or not await self.is_connected()):
                await self.connect()

    async def receive_messages(self) -> None:
        """Read one connection until it breaks, then have it replaced."""
        session = self.current_session
        assert session is not None
        while not self.closed and session is self.current_session:
            message = await session.receive()
            self._silence = max(self._silence, time.monotonic() - self._heard)
            self._heard = time.monotonic()
            match message.type:
                case WSMsgType.TEXT:
                    self._take(message.data)
                case WSMsgType.PING:
                    await session.pong(message.data)
                case WSMsgType.PONG:
                    self._pong(message.data)
                case WSMsgType.CLOSE | WSMsgType.CLOSING | WSMsgType.CLOSED | WSMsgType.ERROR:
                    if session is self.current_session and not self.closed:
                        log.info("%s: Slack closed the connection", self._account)
                        self.spawn(self.connect_to_new_endpoint(force=True))
                    return
                case _:
                    pass

    def _pong(self, data: bytes) -> None:
        prefix, _, sent = bytes(data).partition(b":")
        if prefix == b"sdk-ping-pong":
            self.last_ping_pong_time = float(sent)

    def _take(self, text: str) -> None:
        try:
            envelope = from_json(text)
        except ValueError:
            envelope = None
        if not isinstance(envelope, dict):
            log.warning("%s: Slack sent what is no JSON object; ignored", self._account)
            return
        match envelope.get("type"):
            case "hello":
                if not self._greeted:
                    self._greeted = True
                    self._hello()
                elif self._silence > GAP:
                    self._back()
                self._silence = 0.0
            case "disconnect":
                log.info("%s: Slack wants a new connection (%s)", self._account, envelope.get("reason"))
                self.spawn(self.connect_to_new_endpoint(force=True))
            case _:
                self.spawn(self._handle(envelope))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it in a task that `close` ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def acknowledge(self, envelope_id: str) -> None:
        """Tell Slack "ok". Raises `ConnectionError` if the connection is gone: then Slack sends it again."""
        await self.send_socket_mode_response({"envelope_id": envelope_id})

    async def send_message(self, message: str) -> None:
        """Send a text over the current connection."""
        session = self.current_session
        if session is None or session.closed:
            raise ConnectionError("not connected")
        await session.send_str(message)

    async def close(self) -> None:
        """Close everything, and wait until it is closed. Safe to call twice."""
        self.closed = True
        self.auto_reconnect_enabled = False
        tasks = [*self._tasks, self.message_processor]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.current_session is not None:
            await _close(self.current_session)
        await self.aiohttp_client_session.close()
        if self.failed.done() and not self.failed.cancelled():
            self.failed.exception()  # it may have been raised already: no warning about that
        else:
            self.failed.cancel()


async def _close(session: Any) -> None:
    try:
        async with asyncio.timeout(2):
            await session.close()
    except Exception as error:
        log.debug("closing an old connection: %s", type(error).__name__)
