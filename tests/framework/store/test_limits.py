"""What one gateway was told by a platform, all of the account know; on both databases."""

import time

from sqlalchemy import Engine

from dragoman.store.limits import Limit, keep_limits, limits_of


def test_the_longer_limit_stays_and_what_is_over_is_forgotten(store: Engine) -> None:
    now = time.time()
    with store.begin() as connection:
        keep_limits(
            connection, [Limit("acme", "", now + 30), Limit("acme", "C2", now + 5), Limit("other", "", now + 9)]
        )
        keep_limits(connection, [Limit("acme", "", now + 10), Limit("acme", "C2", now + 60)])
        assert sorted(limits_of(connection, ["acme"], now=now)) == [
            Limit("acme", "", now + 30),
            Limit("acme", "C2", now + 60),
        ]
        assert limits_of(connection, ["acme"], now=now + 40) == [Limit("acme", "C2", now + 60)]
        keep_limits(connection, [Limit("acme", "C9", now - 1)])
        keep_limits(connection, [Limit("acme", "C8", now + 1)])
        assert {limit.bucket for limit in limits_of(connection, ["acme"], now=0.0)} == {"", "C2", "C8"}
