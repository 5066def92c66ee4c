"""A web server with its surroundings, and a client to call it with."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from sqlalchemy import Engine, select

from dragoman import HandlerManifest, SkillManifest, Webhook, wire
from dragoman.exchange import Broker
from dragoman.store.schema import events
from dragoman.triggers import WebhookTrigger
from dragoman.web import Web
from support.timers import publish

__all__ = ["AUTHORIZED", "SECRET", "Answer", "Rig", "hooked", "serving"]

SECRET = "open sesame"
AUTHORIZED = {"Authorization": f"Bearer {SECRET}"}


def hooked(name: str, **paths: str) -> SkillManifest:
    """A skill with a webhook for each handler."""
    return SkillManifest(
        name=name,
        handlers=tuple(HandlerManifest(name=handler, trigger=WebhookTrigger(path=p)) for handler, p in paths.items()),
    )


class Answer:
    """What it said, with the body read as JSON."""

    def __init__(self, status: int, headers: Any, body: Any) -> None:
        self.status, self.headers, self.body = status, headers, body


class Rig:
    """A web server and its surroundings."""

    def __init__(self, engine: Engine, broker: Broker) -> None:
        self.engine, self.broker = engine, broker
        self.web = self.make()
        self.client: aiohttp.ClientSession | None = None

    def make(self, port: int = 0, host: str = "127.0.0.1", **secrets: str) -> Web:
        return Web(
            self.engine,
            self.broker,
            self.broker.topology,
            host=host,
            port=port,
            hook_secrets=secrets or {"ci": SECRET, "empty": ""},
        )

    def publish(self, *found: SkillManifest) -> None:
        publish(self.engine, *found)

    async def call(
        self, path: str = "/hooks/ci/build", body: Any = b"{}", method: str = "POST", **headers: str
    ) -> Answer:
        assert self.client is not None
        async with self.client.request(method, self.web.url + path, data=body, headers=headers or AUTHORIZED) as got:
            text = await got.text()
            return Answer(got.status, got.headers, json.loads(text) if text else None)

    def recorded(self) -> list[Webhook]:
        with self.engine.connect() as connection:
            bodies = connection.execute(select(events.c.body).order_by(events.c.received_at)).scalars().all()
        found = [wire.decode_event(body) for body in bodies]
        assert all(isinstance(event, Webhook) for event in found)
        return found  # type: ignore[return-value]  # as has just been seen

    def depth(self) -> int:
        return self.broker.depth(self.broker.topology.router_queue().name)

    async def raw(self, data: bytes) -> bytes:
        """What a connection answers to these bytes, until its end."""
        host, port = self.web.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                return await asyncio.wait_for(reader.read(), 20)
            return b""
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def serving(engine: Engine, broker: Broker) -> AsyncIterator[Rig]:
    """It listens; the skill ``ci`` has a secret, ``closed`` and ``empty`` have none."""
    rig = Rig(engine, broker)
    ci = hooked("ci", built="/build", deployed="/deploy/done", root="")
    rig.publish(ci, hooked("closed", call="/x"), hooked("empty", call="/x"))
    async with rig.web, aiohttp.ClientSession() as rig.client:
        yield rig
