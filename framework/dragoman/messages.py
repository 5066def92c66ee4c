"""Models as messages: where each goes, with which key, priority and headers."""

import time
from typing import Any

from . import wire
from .action import Action, ActionBase
from .event import Event, EventBase
from .exchange.message import Outgoing
from .exchange.topology import Priority, Topology
from .partitions import partition_of
from .task import Task, task_name

__all__ = ["action_message", "event_message", "task_message"]


def event_message(topology: Topology, event: Event | EventBase) -> Outgoing:
    """To the routers."""
    return Outgoing(
        exchange=topology.events,
        routing_key=topology.event_key(event.address.account, event.kind, event.conversation),
        body=wire.encode(event),
        headers=_trace(event.traceparent),
        queues=(topology.router_queue(),),
    )


def task_message(topology: Topology, task: Task, priority: Priority) -> Outgoing:
    """To the workers of a skill: a Celery message, protocol 2.

    https://docs.celeryq.dev/en/stable/internals/protocol.html
    """
    queue = topology.skill_queue(task.skill)
    headers: dict[str, Any] = {
        "lang": "py",
        "task": task_name(task.skill),
        "id": task.run,
        "root_id": task.run,
        "parent_id": None,
        "group": None,
        "meth": None,
        "shadow": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        # Celery would spend a third of the time of sending on these.
        "argsrepr": "",
        "kwargsrepr": "",
        "origin": "dragoman",
        "ignore_result": True,
        **_trace(task.event.traceparent),
    }
    task = task.model_copy(update={"hops": (*task.hops, ("router", time.time()))})
    body = b'[[], {"task": %b}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]' % wire.encode(
        task
    )
    return Outgoing(
        exchange=topology.skills,
        routing_key=task.skill,
        body=body,
        priority=priority,
        headers=headers,
        properties={"correlation_id": task.run},
        queues=(queue,),
    )


def action_message(topology: Topology, action: Action | ActionBase) -> Outgoing:
    """To the gateway that has the partition of the conversation at the action's address."""
    account, partition = action.address.account, partition_of(action.address, topology.partitions)
    return Outgoing(
        exchange=topology.actions,
        routing_key=topology.action_key(account, action.kind, partition),
        body=wire.encode(action),
        headers=_trace(action.traceparent),
        queues=(topology.deliver_queue(account, partition),),
    )


def _trace(traceparent: str) -> dict[str, str]:
    return {"traceparent": traceparent} if traceparent else {}
