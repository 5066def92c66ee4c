"""Socket Mode: an app's websockets, and the envelopes that go over them until they are acknowledged.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import itertools
import json
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from .app import App
    from .server import SlackSimulator

__all__ = ["MOST_SOCKETS", "Delivery", "Link", "Reason", "Socket"]

#: How many sockets an app may have open. https://docs.slack.dev/apis/events-api/using-socket-mode
MOST_SOCKETS = 10

#: Why Slack tells a client to go. ``warning`` comes some seconds before the socket is closed.
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

_dumps = json.JSONEncoder(separators=(",", ":")).encode


class Delivery:
    """One event or slash command on its way to one app.

    Attributes:
        payload: what Slack sends: the ``event_callback`` with the ``event`` inside, or the command.
        type: the envelope's: ``events_api`` or ``slash_commands``. A command is sent once only: who used it is
            told that it failed (https://docs.slack.dev/interactivity/implementing-slash-commands/#responding_basic_receipt).
        attempts: how often it was sent.
        accepted: when it was first acknowledged (unix seconds); `None` before that.
        acks: how many envelopes with it were acknowledged.
        lost: never acknowledged, and Slack has given up on it.
    """

    __slots__ = (
        "_body",
        "accepted",
        "acks",
        "app",
        "attempts",
        "envelopes",
        "event_id",
        "lost",
        "payload",
        "socket",
        "timeouts",
        "timer",
        "type",
    )

    def __init__(
        self,
        app: "App",
        event_id: str,
        payload: dict[str, Any],
        type: Literal["events_api", "slash_commands"] = "events_api",
    ) -> None:
        self.app = app
        self.event_id = event_id
        self.payload = payload
        self.type = type
        self.attempts = 0
        self.timeouts = 0
        self.accepted: float | None = None
        self.acks = 0
        self.lost = False
        self.envelopes: list[str] = []
        self.socket: Socket | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._body: str | None = None

    def __repr__(self) -> str:
        state = "accepted" if self.accepted else "lost" if self.lost else "open"
        return f"<Delivery {self.kind} {self.event_id}: {state} after {self.attempts}>"

    @property
    def kind(self) -> str:
        """The type of the event, such as ``message`` or ``reaction_added``; or ``slash_commands``."""
        return self.type if self.type == "slash_commands" else str(self.payload["event"]["type"])

    def envelope(self) -> tuple[str, str]:
        """A new envelope around it: the id and the JSON. Counts as an attempt."""
        if self._body is None:
            self._body = _dumps(self.payload)
        id = str(uuid.uuid4())
        if self.type == "slash_commands":
            more = '"accepts_response_payload":true'
        else:
            reason = "timeout" if self.attempts else ""
            more = f'"accepts_response_payload":false,"retry_attempt":{self.attempts},"retry_reason":"{reason}"'
        text = f'{{"envelope_id":"{id}","payload":{self._body},"type":"{self.type}",{more}}}'
        self.attempts += 1
        self.envelopes.append(id)
        return id, text

    def settle(self) -> None:
        """Nothing more is to be sent: forget what was only needed for that."""
        self._body = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Socket:
    """One websocket of an app. Used by `Link`."""

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.ws = ws
        self.transport = transport
        self.outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.inflight: dict[Delivery, None] = {}
        self.leaving = False

    async def pump(self) -> None:
        """Send what is in the outbox, in order; close the socket at the `None` in it."""
        while (text := await self.outbox.get()) is not None:
            await self.ws.send_str(text)
        await self.ws.close()


class Link:
    """Everything between Slack and the sockets of one app: each event goes to one of them.

    Attributes:
        sockets: the ones that get events.
        waiting: events for which there is no socket; sent when one comes.
    """

    def __init__(self, simulator: "SlackSimulator") -> None:
        self.simulator = simulator
        self.sockets: list[Socket] = []
        self.waiting: deque[Delivery] = deque()
        self._open: set[Socket] = set()
        self._envelopes: dict[str, Delivery] = {}
        self._turn = itertools.count()

    def deliver(self, delivery: Delivery) -> None:
        """Send it now, or as soon as there is a socket; a command is lost without one."""
        if self.sockets:
            self._send(delivery)
        elif delivery.type == "slash_commands":
            self._lose(delivery)
        else:
            self.waiting.append(delivery)

    def _send(self, delivery: Delivery) -> None:
        socket = self.sockets[next(self._turn) % len(self.sockets)]
        id, text = delivery.envelope()
        self._envelopes[id] = delivery
        if delivery.accepted is None:
            delivery.socket = socket
            socket.inflight[delivery] = None
            loop = asyncio.get_running_loop()
            delivery.timer = loop.call_later(self.simulator.ack_timeout, self._timed_out, delivery)
        socket.outbox.put_nowait(text)

    def _timed_out(self, delivery: Delivery) -> None:
        self._detach(delivery)
        delays = self.simulator.retry_delays if delivery.type == "events_api" else ()
        if delivery.timeouts >= len(delays):
            self._lose(delivery)
            return
        delay = delays[delivery.timeouts]
        delivery.timeouts += 1
        delivery.timer = asyncio.get_running_loop().call_later(delay, self.deliver, delivery)

    def _lose(self, delivery: Delivery) -> None:
        delivery.lost = True
        delivery.settle()
        self.simulator.pending -= 1
        self.simulator.changed()

    def _detach(self, delivery: Delivery) -> None:
        if delivery.socket is not None:
            delivery.socket.inflight.pop(delivery, None)
            delivery.socket = None

    def acknowledge(self, envelope_id: str) -> None:
        """The app has taken that envelope. Ids that nobody knows are ignored, as Slack does."""
        delivery = self._envelopes.pop(envelope_id, None)
        if delivery is None:
            return
        delivery.acks += 1
        if delivery.accepted is None:
            delivery.accepted = time.time()
            self.simulator.pending -= not delivery.lost
            delivery.lost = False
            self._detach(delivery)
            delivery.settle()
        self.simulator.changed()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Be the server's end of one websocket until it closes."""
        ws = web.WebSocketResponse(heartbeat=self.simulator.ping_interval, compress=False, timeout=2.0)
        await ws.prepare(request)
        socket = Socket(ws, request.transport)
        self._open.add(socket)
        pump = asyncio.create_task(socket.pump())
        try:
            if len(self._open) > MOST_SOCKETS:
                self._bid_farewell(socket, "too_many_websockets")
            else:
                self._welcome(socket)
            async for message in ws:
                if message.type == WSMsgType.TEXT:
                    self._read(message.data)
        finally:
            self._gone(socket)
            if not socket.leaving:
                pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        return ws

    def _read(self, text: str) -> None:
        try:
            envelope_id = json.loads(text)["envelope_id"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(envelope_id, str):
            self.acknowledge(envelope_id)

    def _welcome(self, socket: Socket) -> None:
        hello = {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "simulator", "build_number": 1, "approximate_connection_time": 18060},
        }
        socket.outbox.put_nowait(_dumps(hello))
        self.sockets.append(socket)
        while self.waiting:
            self._send(self.waiting.popleft())
        self.simulator.changed()

    def _bid_farewell(self, socket: Socket, reason: Reason) -> None:
        """Give it no more events, tell it why, close it. What it still acknowledges meanwhile counts."""
        if socket in self.sockets:
            self.sockets.remove(socket)
        socket.outbox.put_nowait(_dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "simulator"}}))
        socket.outbox.put_nowait(None)
        socket.leaving = True

    def _gone(self, socket: Socket) -> None:
        self._open.discard(socket)
        if socket in self.sockets:
            self.sockets.remove(socket)
        unsettled, socket.inflight = list(socket.inflight), {}
        for delivery in unsettled:
            delivery.socket = None
            if delivery.timer is not None:
                delivery.timer.cancel()
                delivery.timer = None
        for delivery in [each for each in unsettled if each.type == "slash_commands"]:
            unsettled.remove(delivery)
            self._lose(delivery)
        if self.sockets:
            for delivery in unsettled:
                self._send(delivery)
        else:
            self.waiting.extendleft(reversed(unsettled))
        self.simulator.changed()

    def disconnect(self, reason: Reason) -> int:
        """Tell every socket to go, then close it; says how many there were."""
        leaving = list(self.sockets)
        for socket in leaving:
            self._bid_farewell(socket, reason)
        return len(leaving)

    def warn(self) -> None:
        """Send the ``warning`` that the sockets will be closed soon, and leave them open."""
        for socket in self.sockets:
            socket.outbox.put_nowait(_dumps({"type": "disconnect", "reason": "warning", "debug_info": {}}))

    def send_raw(self, text: str) -> int:
        """Send a text on every connection; says how many there are."""
        for socket in self.sockets:
            socket.outbox.put_nowait(text)
        return len(self.sockets)

    def drop(self) -> int:
        """Cut every connection as a broken network does; says how many there were."""
        cut = list(self._open)
        for socket in cut:
            if socket in self.sockets:
                self.sockets.remove(socket)
            if socket.transport is not None:
                socket.transport.abort()
        return len(cut)

    def forget(self) -> None:
        """Stop every clock: the simulator closes."""
        for delivery in {*self._envelopes.values(), *self.waiting}:
            delivery.settle()
