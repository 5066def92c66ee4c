"""The short form of the kills: nothing that Slack was told is accepted is lost, and nothing is answered twice."""

import random
from pathlib import Path

import pytest

from .kills import run


@pytest.mark.timeout(200)
async def test_ten_kills_lose_nothing_and_double_nothing(durable_url: str, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    parts = ["gateway", "router", "worker default", *(["broker"] if durable_url == "embedded" else [])]
    report = await run(tmp_path, broker=durable_url, messages=500, kills=10, seed=seed, parts=parts, seconds=25.0)
    assert report.accepted >= report.messages, report
    assert not report.lost, report
    assert not report.twice, report
    assert sum(report.kills.values()) == 10
