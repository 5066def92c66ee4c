"""Rate limits: https://docs.discord.com/developers/topics/rate-limits"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .clock import Clock

__all__ = ["Exceeded", "Limits"]

#: What is told where nothing else is set; nobody reaches it.
GENEROUS: Final = (1_000_000, 1.0)


@dataclass(slots=True)
class _Bucket:
    left: int
    reset: float


class Exceeded(Exception):
    """Too many calls; ``whole``: of all routes together ("global")."""

    def __init__(self, retry_after: float, whole: bool, headers: dict[str, str]) -> None:
        super().__init__("You are being rate limited.")
        self.retry_after = retry_after
        self.whole = whole
        self.headers = headers


class Limits:
    """What is left in the buckets. Each channel, guild and webhook has buckets of its own."""

    def __init__(self, clock: Clock, limits: Mapping[str, tuple[int, float]]) -> None:
        self._clock = clock
        self.limits = dict(limits)
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def spend(self, route: str, major: str, app: str) -> dict[str, str]:
        """Count a call; returns the headers that its answer has.

        Raises:
            Exceeded: it is one too many.
        """
        now = self._clock.now()
        if "global" in self.limits and app:
            most, seconds = self.limits["global"]
            whole = self._bucket(("global", app), most, seconds, now)
            if whole.left <= 0:
                raise Exceeded(whole.reset - now, True, {})
            whole.left -= 1
        most, seconds = self.limits.get(route) or self.limits.get("*") or GENEROUS
        bucket = self._bucket((route, f"{major}/{app}"), most, seconds, now)
        over = bucket.left <= 0
        bucket.left -= not over
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{bucket.reset:.3f}",
            "X-RateLimit-Reset-After": f"{max(0.0, bucket.reset - now):.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        if over:
            raise Exceeded(bucket.reset - now, False, headers)
        return headers

    def _bucket(self, key: tuple[str, str], most: int, seconds: float, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None or now >= bucket.reset:
            bucket = self._buckets[key] = _Bucket(most, now + seconds)
        return bucket
