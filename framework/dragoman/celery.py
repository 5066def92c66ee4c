"""``celery -A dragoman.celery worker|inspect|control|flower``: the app of the bot in the working folder.

The app is built when it is first asked for (PEP 562), from ``dragoman.toml`` or ``DRAGOMAN_CONFIG``.
A stock ``celery worker`` serves all enabled skills, in whichever pool its options say.
"""

from functools import cache
from typing import Any

__all__ = ["app"]  # noqa: F822  # made by __getattr__


def __getattr__(name: str) -> Any:
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _app() -> Any:
    from .roles import BotContext, memory_of
    from .settings import load
    from .store.catalogue import publish_manifests
    from .worker.app import build_app

    settings = load()
    bot = BotContext.of(settings)
    bot.require_processes()
    skills = bot.skills()
    engine = bot.open_store()
    with engine.begin() as connection:
        publish_manifests(connection, [skill.manifest() for skill in skills.values()], None)
    engine.dispose()
    app = build_app(
        skills,
        broker=bot.broker,
        topology=bot.topology,
        store_url=settings.store_url,
        role="worker.celery",
        environment=bot.environment(skills),
        breaker=bot.breaker,
        max_memory=memory_of(skills.values(), None),
    )
    # For Flower; what was said is in none of them.
    app.conf.worker_send_task_events = True
    return app
