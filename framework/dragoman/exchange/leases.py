"""Queues in Redis or Valkey whose messages are taken and recorded as taken in one step.

kombu pops a message and then records it as unacknowledged: a process that is killed between the two loses the
message for good. Here a script does both, so a message is always either in its list or in the hash of those
that somebody holds. What a script cannot do is block. So whoever publishes also leaves a token in a sorted
set beside the list, and consumers block on the tokens; a lost token costs a second (they look anyway), never
a message.

A holder renews its leases while it lives, so they can be short: after a kill -9 the messages are back within
``visibility_timeout``, however long a living worker takes for its own.

The lists are kombu's own (``<queue>`` and ``<queue><sep><priority>``), so any kombu program can publish to
them, and monitors see their lengths. Consumers must be ours.
"""

import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

__all__ = ["SEPARATOR", "Leases", "list_key", "wake_key"]

#: kombu's own, see `kombu.transport.redis.Channel.sep`.
SEPARATOR: Final = "\x06\x16"

#: The largest answer to one `take`, roughly: a hundred messages of a megabyte would be too much at once.
MAX_TAKE_BYTES: Final = 4 * 1024 * 1024

#: The member of the sorted set of a queue's token; one is enough, so that it never grows.
TOKEN: Final = "w"  # noqa: S105

#: Put before a message that was taken before.
REDELIVERED: Final = b"R"

# KEYS: held, index, all lists (by priority, then by queue), one token per queue.
# ARGV: how many at most, beginning of the tags, how many bytes at most, number of lists, number of queues.
TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local limit, most = tonumber(ARGV[1]), tonumber(ARGV[3])
local lists, queues = tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, n, size = {}, 0, 0
for i = 1, lists do
    local key = KEYS[2 + i]
    while n < limit and size < most do
        local item = redis.call('RPOP', key)
        if not item then break end
        n = n + 1
        local tag = ARGV[2] .. n
        redis.call('HSET', KEYS[1], tag, key .. '\\0' .. item)
        redis.call('ZADD', KEYS[2], now, tag)
        taken[#taken + 1] = key
        taken[#taken + 1] = tag
        taken[#taken + 1] = item
        size = size + #item
    end
    if n >= limit or size >= most then
        -- Whoever took the token must leave one for what it could not carry.
        if redis.call('LLEN', key) > 0 then
            redis.call('ZADD', KEYS[2 + lists + (i - 1) % queues + 1], 0, 'w')
        end
    end
end
return taken
"""

# KEYS: held, index. ARGV: separator, tags. Puts each back at the front of the list it came from.
RESTORE: Final = """
local restored = 0
for i = 2, #ARGV do
    local tag = ARGV[i]
    local item = redis.call('HGET', KEYS[1], tag)
    redis.call('ZREM', KEYS[2], tag)
    if item then
        redis.call('HDEL', KEYS[1], tag)
        local cut = string.find(item, '\\0', 1, true)
        local key, body = string.sub(item, 1, cut - 1), string.sub(item, cut + 1)
        if string.sub(body, 1, 1) ~= 'R' then body = 'R' .. body end
        redis.call('RPUSH', key, body)
        local at = string.find(key, ARGV[1], 1, true)
        local queue = at and string.sub(key, 1, at - 1) or key
        redis.call('ZADD', queue .. ARGV[1] .. 'wake', 0, 'w')
        restored = restored + 1
    end
end
return restored
"""

# KEYS: index. ARGV: seconds after which a lease has run out. The server's clock is everybody's clock.
EXPIRED: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]), 'LIMIT', 0, 500)
"""

# KEYS: index. ARGV: tags.
RENEW: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
for i = 1, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[i]) end
"""


def list_key(queue: str, step: int) -> str:
    """The list of ``queue`` for the wire priority ``step`` (0 goes first)."""
    return f"{queue}{SEPARATOR}{step}" if step else queue


def wake_key(queue: str) -> str:
    """Where the token of ``queue`` lies."""
    return f"{queue}{SEPARATOR}wake"


class Leases:
    """Takes, settles, renews and restores, with one set of keys (one role).

    Args:
        client: a redis client; answers must be bytes.
        held: the key of the hash of what is taken (kombu's ``unacked_key``).
        index: the key of the sorted set of when (kombu's ``unacked_index_key``).
        steps: the wire priorities.
    """

    def __init__(self, client: Any, *, held: str, index: str, steps: Sequence[int]) -> None:
        self._client = client
        self._held = held
        self._index = index
        self._steps = tuple(steps)
        self._tags = (f"{uuid.uuid4().hex}-{number}-" for number in itertools.count())
        self._take = client.register_script(TAKE)
        self._restore = client.register_script(RESTORE)
        self._expired = client.register_script(EXPIRED)
        self._renew = client.register_script(RENEW)

    def take(self, queues: Sequence[str], limit: int) -> list[tuple[str, str, bytes]]:
        """Take up to ``limit`` messages: (queue, tag, message), the most urgent first."""
        if not queues or limit < 1:
            return []
        lists = [list_key(queue, step) for step in self._steps for queue in queues]
        answer = self._take(
            keys=[self._held, self._index, *lists, *map(wake_key, queues)],
            args=[limit, next(self._tags), MAX_TAKE_BYTES, len(lists), len(queues)],
        )
        parts = iter(answer)
        return [
            (key.decode().split(SEPARATOR, 1)[0], tag.decode(), item)
            for key, tag, item in zip(parts, parts, parts, strict=True)
        ]

    def settle(self, tags: Sequence[str]) -> None:
        """These are done: forget them."""
        if tags:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.hdel(self._held, *tags)
                pipe.zrem(self._index, *tags)
                pipe.execute()

    def restore(self, tags: Iterable[str]) -> int:
        """Put these back at the front of their queues, marked as redelivered; the first comes out first."""
        backwards = list(tags)[::-1]
        if not backwards:
            return 0
        return int(self._restore(keys=[self._held, self._index], args=[SEPARATOR, *backwards]))

    def restore_expired(self, age: float) -> int:
        """Put back what was taken or renewed longer than ``age`` seconds ago: its holder is gone."""
        return self.restore(tag.decode() for tag in self._expired(keys=[self._index], args=[age]))

    def renew(self, tags: Sequence[str]) -> None:
        """We are alive and still hold these."""
        if tags:
            self._renew(keys=[self._index], args=tags)

    def wake(self, queues: Iterable[str]) -> None:
        """Leave a token for each of these queues."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.zadd(wake_key(queue), {TOKEN: 0})
            pipe.execute()
