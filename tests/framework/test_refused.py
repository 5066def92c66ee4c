"""What the platform refuses, and how loudly that is said."""

import pytest

from dragoman import DeliveryError, LookUp, React, Target
from framework.gateway_rig import Rig, rig
from support.samples import send

__all__ = ["rig"]


@pytest.mark.parametrize(("optional", "level"), [(True, "INFO"), (False, "ERROR")])
async def test_an_emoji_that_nobody_needs_is_refused_quietly(
    rig: Rig, optional: bool, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    rig.adapter.failures = [DeliveryError("there is no such emoji", code="invalid_name")]
    where = send(key="x", run="").address
    async with rig.running():
        await rig.publish(React(key="no", address=where, target=Target(id="m1"), emoji="shipit", optional=optional))
        await rig.until(lambda: rig.state("no") == "parked")
    (record,) = (record for record in caplog.records if "invalid_name" in record.getMessage())
    assert record.levelname == level


async def test_a_channel_that_nobody_finds_is_said_quietly(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with rig.running():
        await rig.publish(LookUp(key="who", address=send().address, channel="C404"))
        await rig.until(lambda: rig.state("who") == "parked")
    (record,) = (record for record in caplog.records if "channel_not_found" in record.getMessage())
    assert record.levelname == "INFO"
