"""A frame of Slack's socket that is too large ends the connection, and not the adapter."""

import asyncio

import pytest

from dragoman_slack import socket_mode
from dragoman_slack.socket_mode import Socket

from .adapter_rig import rig


async def test_a_frame_that_is_too_large_is_not_read_and_the_adapter_connects_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket_mode, "LARGEST_FRAME", 16_000)
    opened = 0
    again = asyncio.Event()
    connect = Socket._connect_once

    async def counted(socket: Socket) -> None:
        nonlocal opened
        await connect(socket)
        opened += 1
        if opened == 2:
            again.set()

    monkeypatch.setattr(Socket, "_connect_once", counted)
    async with rig() as r:
        await r.ann.say(r.general, "small")
        await r.messages(1)
        await r.ann.say(r.general, "x" * 20_000)
        await asyncio.wait_for(again.wait(), 20)
        assert [event.content.plain for event in r.said()] == ["small"]
