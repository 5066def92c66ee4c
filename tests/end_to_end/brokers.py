"""The broker of a running bot, as something that can be broken."""

import asyncio
import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator

from support.bot import RunningBot  # on the path of the tests, and of `chaos.py`
from support.rabbitmq import RabbitMQ

__all__ = ["BrokerProcess", "Embedded", "Rabbit"]


class BrokerProcess(ABC):
    """Its process.

    Attributes:
        breaking: held by who breaks it: one at a time.
    """

    def __init__(self) -> None:
        self.breaking = asyncio.Lock()

    @abstractmethod
    def pid(self) -> int | None:
        """While it runs."""

    @abstractmethod
    def kill(self) -> bool:
        """kill -9, and it is started again; False if it does not run."""

    @abstractmethod
    def restart(self) -> bool:
        """As an administrator would; False if it does not run."""

    @contextlib.contextmanager
    def stopped(self) -> Iterator[bool]:
        """Meanwhile nobody is there, though connections stay (SIGSTOP); gives whether it ran."""
        pid = self.pid()
        try:
            if pid is not None:
                os.kill(pid, signal.SIGSTOP)
            yield pid is not None
        finally:
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


class Embedded(BrokerProcess):
    """The bot's own, which its supervisor starts again."""

    def __init__(self, bot: RunningBot) -> None:
        super().__init__()
        self._bot = bot

    def pid(self) -> int | None:
        return self._bot.parts().get("broker")

    def kill(self) -> bool:
        return self._bot.kill("broker")

    def restart(self) -> bool:
        return self._bot.kill("broker", signal.SIGTERM)


class Rabbit(BrokerProcess):
    """A RabbitMQ node of ours."""

    def __init__(self, server: RabbitMQ) -> None:
        super().__init__()
        self._server = server

    def pid(self) -> int | None:
        return self._server.pid

    def kill(self) -> bool:
        self._server.kill()
        self._server.start()
        return True

    def restart(self) -> bool:
        self._server.restart()
        return True
