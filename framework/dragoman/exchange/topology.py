"""The whole topology: every exchange, every queue and every routing key that Dragoman uses.

========================  ======  =============================================  ============================
exchange                  type    routing key                                    queues
========================  ======  =============================================  ============================
``<ns>.events``           topic   ``<account>.<kind>.<conversation>``            ``<ns>.router``
``<ns>.skills``           direct  ``<skill>``                                    ``<ns>.skill.<skill>``
``<ns>.actions``          topic   ``<account>:<partition>.<kind>``               ``<ns>.deliver.<account>.<n>``
``<ns>.actions``          topic   ``<account>.<kind>`` (of other programs)       ``<ns>.deliver.<account>``
``<ns>.dead``             direct  ``dead``                                       ``<ns>.dead``
========================  ======  =============================================  ============================

What is said in one conversation goes through one of the account's partitions (see `dragoman.partitions`). Other
programs need not know how many there are: the queue without a number is read by whoever has partition 0.

Everything is durable and persistent, and the only content type is JSON. Routing keys have a fixed number
of words, because kombu's virtual topic exchanges want at least one word for ``#``. The arguments of a queue
cannot be changed once it exists on RabbitMQ: what stands here is frozen with the queue's name.
"""

import re
from typing import Any, Final

from kombu import Exchange, Queue

from ..errors import SettingsError
from ..priority import Priority

__all__ = ["PARTITIONS", "Priority", "Topology"]

WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
DEAD_KEY: Final = "dead"
#: Seconds after which the broker deletes the queue of a worker that is no more.
EXPIRES: Final = 600
#: How many queues an account's actions are divided into, unless the settings say otherwise.
PARTITIONS: Final = 4


class Topology:
    """The exchanges and queues of one bot, whose names all begin with its namespace.

    Args:
        partitions: into how many queues the actions of an account are divided.

    Attributes:
        events: what happened (topic).
        skills: what is to be run (direct).
        actions: what is to be done on a platform (topic).
        dead: what nobody could read or finish (direct).
    """

    def __init__(self, namespace: str = "dragoman", partitions: int = PARTITIONS) -> None:
        if not WORD.fullmatch(namespace):
            raise SettingsError(f"namespace {namespace!r}: use letters, digits, '-' and '_' only, at most 100 of them")
        self.namespace = namespace
        self.partitions = partitions
        self.events: Any = self._exchange("events", "topic")
        self.skills: Any = self._exchange("skills", "direct")
        self.actions: Any = self._exchange("actions", "topic")
        self.dead: Any = self._exchange("dead", "direct")
        self._queues: dict[str, Any] = {}

    def router_queue(self) -> Any:
        """The queue that all routers share: every event of every account."""
        return self._queue("router", self.events, "*.*.*")

    def skill_queue(self, skill: str) -> Any:
        """The dedicated queue of one skill, with the four priorities."""
        return self._queue(f"skill.{skill}", self.skills, skill, max_priority=int(max(Priority)))

    def deliver_queue(self, account: str, partition: int | None = None) -> Any:
        """The queue of the actions in one partition of an account; without one, of those that no one has divided."""
        if partition is None:
            return self._queue(f"deliver.{account}", self.actions, f"{account}.*")
        return self._queue(f"deliver.{account}.{partition}", self.actions, f"{account}:{partition}.*")

    def dead_queue(self) -> Any:
        """Where unreadable messages are parked, with the reason."""
        return self._queue("dead", self.dead, DEAD_KEY)

    def canary_queue(self, worker: str) -> Any:
        """A queue of one worker's own, which goes with it; the worker is named by the id of its process."""
        name = f"{self.namespace}.canary.{worker}"
        # The exchange without a name takes a message to the queue of its routing key; no binding is left behind.
        return Queue(name, Exchange(""), routing_key=name, auto_delete=True, expires=EXPIRES)

    def event_key(self, account: str, kind: str, conversation: str) -> str:
        """The routing key of an event, such as ``acme.message.channel``."""
        return f"{account}.{kind}.{conversation}"

    def skill_key(self, skill: str) -> str:
        """The routing key of a skill's task: the skill's name."""
        return skill

    def action_key(self, account: str, kind: str, partition: int | None = None) -> str:
        """The routing key of an action, such as ``acme:3.send``; of other programs, ``acme.send``."""
        return f"{account}.{kind}" if partition is None else f"{account}:{partition}.{kind}"

    def dead_key(self) -> str:
        """The routing key of a dead letter."""
        return DEAD_KEY

    def _exchange(self, name: str, kind: str) -> Any:
        return Exchange(f"{self.namespace}.{name}", type=kind, durable=True, delivery_mode="persistent")

    def _queue(self, name: str, exchange: Any, routing_key: str, **arguments: Any) -> Any:
        queue = self._queues.get(name)
        if queue is None:  # a queue is asked for with every message, and kombu's constructor is not cheap
            full = f"{self.namespace}.{name}"
            queue = Queue(full, exchange=exchange, routing_key=routing_key, durable=True, **arguments)
            self._queues[name] = queue
        return queue
