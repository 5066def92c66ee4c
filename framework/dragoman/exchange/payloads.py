"""Our messages as kombu's virtual transports write them down, and back."""

import base64
from typing import Any

from .message import Outgoing, Taken, properties_of

__all__ = ["payload_of", "taken_from"]


def payload_of(channel: Any, message: Outgoing, priority: int) -> dict[str, Any]:
    """``message`` as the payload that ``channel`` can publish."""
    payload: dict[str, Any] = channel.prepare_message(
        message.body,
        priority=priority,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        headers=dict(message.headers),
        properties={"delivery_mode": 2, "priority": priority, **message.properties},
    )
    return payload


def taken_from(payload: dict[str, Any], queue: str, tag: str) -> Taken:
    """A payload that was taken from ``queue``."""
    properties = payload["properties"]
    headers = payload["headers"]
    body = payload["body"] or ""
    if properties.get("body_encoding") == "base64":
        raw = base64.b64decode(body)
    else:
        raw = body if isinstance(body, bytes) else str(body).encode()
    return Taken(
        tag=tag,
        body=raw,
        queue=queue,
        routing_key=str(properties["delivery_info"].get("routing_key", "")),
        headers={name: value for name, value in headers.items() if name not in ("redelivered", "x-broken")},
        properties=properties_of(
            {
                **properties,
                "content_type": payload.get("content-type"),
                "content_encoding": payload.get("content-encoding"),
            }
        ),
        redelivered=bool(headers.get("redelivered")),
        broken=str(headers.get("x-broken", "")),
    )
