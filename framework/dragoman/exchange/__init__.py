"""The exchange: what distributes messages between gateways, routers and workers.

The only part of Dragoman, besides the Celery application, that knows kombu. `topology` is the picture of it.
"""

from .broker import CAPABILITIES, Broker
from .consumer import Consumer
from .embedded import EmbeddedValkey
from .message import Delivery, Outgoing
from .publisher import AsyncPublisher, Publisher
from .topology import Priority, Topology

__all__ = [
    "CAPABILITIES",
    "AsyncPublisher",
    "Broker",
    "Consumer",
    "Delivery",
    "EmbeddedValkey",
    "Outgoing",
    "Priority",
    "Publisher",
    "Topology",
]
