"""What a run asks of the platform."""

from collections.abc import Sequence

import pytest

from dragoman import Action, Channel, ChannelInfo, LookUp, Sent, SkillError
from dragoman.task import Task
from support.services import FakeServices

from .test_context import context

LOUNGE = ChannelInfo(id="C9", tenant="T1", name="lounge")


def test_a_channel_in_the_directory_is_found_without_asking_the_platform() -> None:
    services = FakeServices()
    services.channels["C9"] = LOUNGE
    assert context(services=services).look_up_channel(Channel(id="C9")) == LOUNGE
    assert services.left == []


def test_a_channel_that_is_not_known_is_asked_for() -> None:
    class Platform(FakeServices):
        def leave(self, task: Task, actions: Sequence[Action]) -> None:
            super().leave(task, actions)
            self.channels["C9"] = LOUNGE

    services = Platform()
    assert context(services=services).look_up_channel("C9").name == "lounge"
    ((asked,),) = services.left
    assert isinstance(asked, LookUp)
    assert (asked.channel, asked.person) == ("C9", None)


def test_a_channel_that_the_platform_does_not_know_has_what_its_mention_had() -> None:
    class Platform(FakeServices):
        def leave(self, task: Task, actions: Sequence[Action]) -> None:
            self.performed[actions[0].key] = Sent()

    assert context(services=Platform()).look_up_channel(Channel(id="C9", name="dev")).name == "dev"
    assert context(services=Platform()).look_up_channel("C9").name == ""


@pytest.mark.parametrize("channel", ["", "x\0", "x" * 300])
def test_what_is_no_channels_id_is_not_asked_for(channel: str) -> None:
    with pytest.raises(SkillError, match="is no channel's id"):
        context().look_up_channel(channel)
