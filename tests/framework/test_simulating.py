"""What every simulator has, tried on one of a platform that echoes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dragoman.testing.simulating import Body, Fault, Simulator, controls, hang_up, one_of


class Echo(Simulator[Fault]):
    """A platform that keeps what it is told."""

    largest_body = 1024

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.waiting = False

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/tell", self.tell),
            *controls(self, do={"whisper": self.whisper, "shout": self.shout}, see={"told": self.see}),
        ]

    async def tell(self, request: web.Request) -> web.StreamResponse:
        self.meet()
        delay, fault = self.faults.take("tell")
        if delay:
            self.waiting = True
            self.changed()
            await self.wait(delay)
        if fault is not None:
            if not fault.status:
                return hang_up(request)
            return web.Response(status=fault.status)
        self.told.append((await request.read()).decode())
        self.changed()
        return web.Response()

    async def whisper(self, body: Body) -> Body:
        if not body["text"]:
            raise ValueError("there is nothing to whisper")
        self.told.append(body["text"])
        return {"said": body["text"]}

    async def shout(self, body: Body) -> Body:
        self.told.append(body["text"].upper())
        return {}

    async def see(self, body: Body) -> Body:
        return {"told": self.told}

    def drop_sockets(self) -> int:
        return 3

    def so_far(self) -> str:
        return f"told so far: {self.told}"

    def state(self) -> dict[str, Any]:
        return {"origin": self.origin}


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo() as simulator:
        yield simulator


@pytest.fixture
async def person() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def tell(person: aiohttp.ClientSession, echo: Echo, text: str = "hello") -> int:
    async with person.post(f"{echo.origin}/tell", data=text) as answer:
        return answer.status


async def test_it_listens_on_a_free_port_until_it_is_closed(person: aiohttp.ClientSession) -> None:
    async with Echo() as echo:
        assert echo.port
        assert await tell(person, echo) == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await tell(person, echo)


async def test_who_waits_is_told_when_something_happened(person: aiohttp.ClientSession, echo: Echo) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(echo.until(lambda: echo.told, waiting_for="a word"))
        group.create_task(tell(person, echo))
    assert waiting.result() == ["hello"]


async def test_who_waits_in_vain_is_told_what_was_said_instead(person: aiohttp.ClientSession, echo: Echo) -> None:
    await tell(person, echo)
    with pytest.raises(TimeoutError, match=r"waited 0\.01 s for a second word; told so far: \['hello'\]"):
        await echo.until(lambda: len(echo.told) > 1, 0.01, waiting_for="a second word")


async def test_a_fault_meets_so_many_calls_and_no_more(person: aiohttp.ClientSession, echo: Echo) -> None:
    echo.faults.add(Fault("tell", times=2, status=500))
    echo.faults.add(Fault("other"))
    assert [await tell(person, echo) for _ in range(3)] == [500, 500, 200]
    assert echo.told == ["hello"]


async def test_a_lost_connection_is_no_answer_at_all(person: aiohttp.ClientSession, echo: Echo) -> None:
    echo.faults.add(Fault("*", status=0))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await tell(person, echo)


async def test_recovery_ends_faults_refusals_and_waiting(person: aiohttp.ClientSession, echo: Echo) -> None:
    echo.refuse_connections()
    assert [await tell(person, echo) for _ in range(2)] == [503, 503]
    echo.recover()
    echo.faults.add(Fault("tell", delay=600.0))
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(tell(person, echo))
        await echo.until(lambda: echo.waiting)
        echo.faults.add(Fault("tell", times=None))
        echo.recover()
    assert slow.result() == 200
    assert await tell(person, echo) == 200


async def test_some_connections_are_refused_and_the_next_is_not(person: aiohttp.ClientSession, echo: Echo) -> None:
    echo.refuse_connections(1)
    assert [await tell(person, echo) for _ in range(2)] == [503, 200]


async def test_a_request_that_is_too_large_is_refused(person: aiohttp.ClientSession, echo: Echo) -> None:
    assert await tell(person, echo, "x" * 2000) == 413
    assert not echo.told


async def ask(person: aiohttp.ClientSession, echo: Echo, name: str, body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    async with person.request(method, f"{echo.origin}/_simulator/{name}", json=body) as answer:
        return answer.status, await answer.json()


async def test_somebody_with_curl_acts_and_sees(person: aiohttp.ClientSession, echo: Echo) -> None:
    assert await ask(person, echo, "whisper", {"text": "psst"}) == (200, {"ok": True, "said": "psst"})
    assert await ask(person, echo, "told") == (200, {"ok": True, "told": ["psst"]})
    assert await ask(person, echo, "state") == (200, {"ok": True, "origin": echo.origin})
    assert await ask(person, echo, "drop", {}) == (200, {"ok": True, "dropped": 3})
    echo.refuse_connections()
    assert await ask(person, echo, "recover", {}) == (200, {"ok": True})
    assert await tell(person, echo) == 200


async def test_a_mistake_of_somebody_with_curl_is_named(person: aiohttp.ClientSession, echo: Echo) -> None:
    assert await ask(person, echo, "whisper", {}) == (400, {"ok": False, "error": "missing: text"})
    unfit: tuple[Any, ...] = ([], "x", 5)
    for body in unfit:
        assert (await ask(person, echo, "whisper", body))[0] == 400
    status, answer = await ask(person, echo, "shout", {"text": 5})
    assert (status, answer["ok"]) == (400, False)
    assert "does not fit" in answer["error"]
    assert await ask(person, echo, "whisper", {"text": ""}) == (
        400,
        {"ok": False, "error": "there is nothing to whisper"},
    )


def test_one_that_is_meant_may_be_left_out_while_there_is_only_one() -> None:
    def names(person: str) -> tuple[str, str]:
        return person[0], person

    assert one_of("person", ["ann"], None, names) == "ann"
    assert one_of("person", ["ann", "bo"], "b", names) == "bo"
    with pytest.raises(ValueError, match=r"which person\? There are \['ann', 'bo'\]"):
        one_of("person", ["ann", "bo"], None, names)
