"""What every adapter does the same, as tests to inherit. An adapter's own tests say where it speaks its platform::

    class TestContract(AdapterContract):
        adapter = MyAdapter
        payloads = {"message": {...}, "edit": {...}}         # what the platform documents; see `SCENARIOS`
        without = {"reaction": "the platform has none"}

        def normalise(self, payload):
            return my_normalise(payload)

        @asynccontextmanager
        async def running(self):
            async with MySimulator() as simulator:
                yield MyStage(simulator)

The first half needs payloads only, the second a `Stage`: the adapter, and somebody who talks to it on its platform.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from .behaving import Behaving
from .normalising import Normalising
from .scenarios import NOTHING, SCENARIOS
from .stage import Stage

__all__ = ["NOTHING", "SCENARIOS", "AdapterContract", "Stage"]


class AdapterContract(Normalising, Behaving):
    """Inherit it in a test module, and pytest runs the tests.

    Attributes:
        adapter: the class that is tested.
        payloads: by the names of `dragoman.testing.scenarios.SCENARIOS` and ``NOTHING``.
        without: scenarios and tests (without ``test_``) that there cannot be, each with the reason.
    """

    payloads: ClassVar[Mapping[str, Any]] = {}
    without: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = {*SCENARIOS, *NOTHING, *(name.removeprefix("test_") for name in dir(cls) if name.startswith("test_"))}
        if unknown := sorted({*cls.without, *cls.payloads} - known):
            raise TypeError(f"{cls.__name__}: there is nothing called {unknown[0]!r} in the contract: {sorted(known)}")
        for name in cls.without:
            if hasattr(cls, f"test_{name}"):
                setattr(cls, f"test_{name}", None)  # pytest leaves out what is no function
