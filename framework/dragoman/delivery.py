"""A call of a webhook as an event. Pure."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from .address import NOWHERE
from .event import Webhook
from .trace import new_traceparent

__all__ = ["as_event"]

#: Headers and query parameters that an event carries, and the characters of each.
MOST, LONGEST = 50, 1000
#: What says which delivery it is: sent again, it is the same. The first that is there counts.
#: https://docs.gitlab.com/user/project/integrations/webhooks/ (Idempotency-Key; older ones have only the event's UUID),
#: https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers (the same when it is redelivered)
DELIVERY: Final = ("Idempotency-Key", "X-GitHub-Delivery", "X-Gitlab-Event-UUID", "webhook-id")
#: Parts of the names of headers that may hold credentials, which go no further than here.
CREDENTIALS: Final = ("authorization", "cookie", "signature", "token", "secret", "password", "api-key", "apikey")


def as_event(
    skill: str,
    handler: str,
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    media_type: str,
    body: str,
    now: float,
) -> Webhook:
    """What the handler is given. The same delivery has the same key.

    Args:
        path: the webhook's own, without that of the skill.
        query, headers, media_type: as aiohttp has them: what was not UTF-8 is in lone surrogates.
        headers: case-insensitive.
        now: unix seconds.
    """
    return Webhook(
        key=f"webhook/{skill}.{handler}/{_delivery(headers)}",
        address=NOWHERE,
        conversation="channel",
        occurred=now,
        hops=(("web", now),),
        traceparent=new_traceparent(),
        skill=skill,
        handler=handler,
        method=method,
        path=path,
        query=_bounded(query),
        headers=_bounded((name.lower(), value) for name, value in headers.items() if _harmless(name)),
        media_type=_clean(media_type)[:LONGEST],
        body=body,
    )


def _delivery(headers: Mapping[str, str]) -> str:
    """Which delivery it is."""
    for name in DELIVERY:
        given = headers.get(name, "").strip()
        if given:
            plain = given.isascii() and given.isprintable() and len(given) <= 200
            return given if plain else hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()
    return str(uuid.uuid4())


def _harmless(name: str) -> bool:
    name = name.lower()
    return not name.startswith("proxy-") and not any(word in name for word in CREDENTIALS)


def _bounded(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first so many, each not too long; of several with one name the first."""
    bounded: dict[str, str] = {}
    for name, value in found:
        if len(bounded) == MOST:
            break
        bounded.setdefault(_clean(name)[:LONGEST], _clean(value)[:LONGEST])
    return bounded


def _clean(text: str) -> str:
    """Text that can be JSON, which lone surrogates cannot."""
    return text.encode(errors="surrogatepass").decode(errors="replace")
