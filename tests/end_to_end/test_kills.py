"""The short form of the kills: nothing that Slack was told is accepted is lost, and nothing is answered twice."""

import random
from pathlib import Path

import pytest

from .kills import run


def broker_of(url: str) -> list[str]:
    """A broker of the bot's own is one of its parts."""
    return ["broker"] if url == "embedded" else []


@pytest.mark.timeout(200)
async def test_a_gateway_with_two_platforms_loses_nothing_and_doubles_nothing(durable_url: str, tmp_path: Path) -> None:
    """500 messages on each, while their sockets, the gateway, the router, a worker and the broker are killed."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    parts = ["gateway", "gateway", "sockets", "router", "worker default", *broker_of(durable_url)]
    report = await run(
        tmp_path,
        broker=durable_url,
        messages=1000,
        kills=12,
        seed=seed,
        parts=parts,
        seconds=25.0,
        platforms=["slack", "discord"],
    )
    # Slack gives up after some tries, should the machine be slow; nearly all must have got through.
    assert report.accepted >= 0.95 * report.messages, report
    assert not report.lost, report
    assert not report.twice, report
    assert set(report.kills) == set(parts), report
