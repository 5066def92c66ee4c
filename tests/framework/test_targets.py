"""Which messages an action is about."""

from dragoman import Delete, Sent, Target
from dragoman.store.ledger import record_sent
from framework.gateway_rig import Rig, rig
from support.samples import send

__all__ = ["rig"]


async def test_what_made_several_messages_is_deleted_whole(rig: Rig) -> None:
    async with rig.running():
        original = send(key="long", run="")
        sent = Sent(ids=("id-a", "id-b", "id-c"))
        with rig.engine.begin() as connection:
            record_sent(connection, [(original, sent)])
        await rig.publish(Delete(key="gone", address=original.address, target=Target(key="long")))
        await rig.until(lambda: rig.state("gone") == "sent")
    assert [getattr(action, "target", None) for action in rig.adapter.performed] == [Target(id=id) for id in sent.ids]
