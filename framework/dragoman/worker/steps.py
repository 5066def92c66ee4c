"""The steps in which a worker begins and ends to consume: Celery's, with what ours does more."""

from typing import TYPE_CHECKING, Any, Final

from celery.worker.consumer.control import Control
from celery.worker.consumer.delayed_delivery import DelayedDelivery
from celery.worker.consumer.tasks import Tasks

if TYPE_CHECKING:
    from .consumer import Consumer

__all__ = ["OURS"]


class SkillTasks(Tasks):  # type: ignore[misc]  # Celery has no types
    """The step that starts consuming. Prefetch is counted for each queue, where the broker can do that."""

    def qos_global(self, c: Any) -> bool:
        return False

    def start(self, c: "Consumer") -> None:
        c.begin()
        super().start(c)
        # A new connection would consume from all queues again; but what waits here still waits.
        for skill in c.not_taken():
            c.task_consumer.cancel_by_queue(c.process.topology.skill_queue(skill).name)
        if c.steering.canary is not None:
            c.task_consumer.add_queue(c.steering.canary.queue)
            c.steering.canary.listen(True)
        c.taking = True

    def stop(self, c: "Consumer") -> None:
        c.taking = False
        if c.steering.canary is not None:
            c.steering.canary.listen(False)
        super().stop(c)


# What Celery requires for these is its own step, which would begin as well: as often as not after ours, and then it is
# its consumer that consumes.


class SkillControl(Control):  # type: ignore[misc]  # likewise
    """The step that listens to Celery's tools."""

    requires = (SkillTasks,)


class SkillDelayedDelivery(DelayedDelivery):  # type: ignore[misc]  # likewise
    """The step for Celery's own delays on quorum queues."""

    requires = (SkillTasks,)


OURS: Final = {step.__base__.__name__: step for step in (SkillTasks, SkillControl, SkillDelayedDelivery)}
