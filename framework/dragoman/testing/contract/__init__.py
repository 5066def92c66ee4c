"""What every adapter does the same, as tests to inherit. An adapter's own tests say where it speaks its platform::

    class TestContract(AdapterContract):
        adapter = MyAdapter
        payloads = {"message": {...}, "edit": {...}}         # what the platform documents; see `SCENARIOS`
        without = {"self_reaction": "the platform does not tell us"}

        def normalise(self, payload):
            return my_normalise(payload)

        @asynccontextmanager
        async def running(self):
            async with MySimulator() as simulator:
                yield MyStage(simulator)

The first half needs payloads only, the second a `Stage`: the adapter, and somebody who talks to it on its platform.
What needs a capability that the adapter declares not to have (`Adapter.capabilities`) is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .behaving import NEEDS, Behaving
from .normalising import Normalising
from .scenarios import NOTHING, SCENARIOS
from .stage import Stage

__all__ = ["NOTHING", "SCENARIOS", "AdapterContract", "Stage"]


class AdapterContract(Normalising, Behaving):
    """Inherit it in a test module, and pytest runs the tests.

    Attributes:
        adapter: the class that is tested.
        payloads: by the names of `SCENARIOS` and `NOTHING`.
        without: scenarios and tests (without ``test_``) that there cannot be although the declared capabilities
            allow them, each with the reason.

    Raises:
        TypeError: ``payloads`` or ``without`` name what is not in the contract.
    """

    payloads: ClassVar[Mapping[str, Any]] = {}
    without: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = {*SCENARIOS, *NOTHING, *(name.removeprefix("test_") for name in TESTS)}
        if unknown := sorted({*cls.without, *cls.payloads} - known):
            raise TypeError(f"{cls.__name__}: there is nothing called {unknown[0]!r} in the contract: {sorted(known)}")
        for name, test in TESTS.items():
            if getattr(cls, name) not in (None, test):
                continue  # the author's own, in its place
            wanted = test if cls._applies(name.removeprefix("test_")) else None
            if getattr(cls, name) is not wanted:
                setattr(cls, name, wanted)  # pytest leaves out what is no function

    @classmethod
    def _applies(cls, name: str) -> bool:
        if name in GENERATED:
            return any(each in cls.payloads for each in GENERATED[name])
        needed = NEEDS.get(name)
        # A class that only shares something between others may have no adapter yet.
        denied = needed is not None and hasattr(cls, "adapter") and not getattr(cls.adapter.capabilities, needed)
        return name not in cls.without and not denied


#: The tests that are one for each payload, and for which payloads.
GENERATED: Mapping[str, Mapping[str, Any]] = {
    "a_scenario_is_the_same_event_on_every_platform": SCENARIOS,
    "what_is_no_event_makes_none": NOTHING,
}
#: The tests of the contract, by name.
TESTS: dict[str, Callable[..., None]] = {
    name: getattr(AdapterContract, name) for name in dir(AdapterContract) if name.startswith("test_")
}
