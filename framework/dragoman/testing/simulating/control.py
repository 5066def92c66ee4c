"""HTTP for people without Python: be somebody on a simulated platform with ``curl``.

``POST`` takes a JSON object, ``GET`` a query. Every answer is JSON with ``ok``; a mistake is answered with status 400
and ``error``.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from .simulator import Simulator

__all__ = ["Act", "Body", "controls", "one_of"]

#: A JSON object.
Body = dict[str, Any]
#: What somebody can do: from what was asked to what is answered. A `KeyError` says which field is missing, and a
#: `ValueError` or `TypeError` what is wrong.
Act = Callable[[Body], Awaitable[Body]]

Named = TypeVar("Named")


def controls(simulator: Simulator[Any], *, do: Mapping[str, Act], see: Mapping[str, Act]) -> list[web.RouteDef]:
    """The addresses under ``/_simulator/``: a ``POST`` for each of ``do``, a ``GET`` for each of ``see``.

    All simulators have the view ``state`` and the acts ``drop`` (all connections) and ``recover``.
    """
    every = _Every(simulator)
    acts = {"drop": every.drop, "recover": every.recover, **do}
    views = {"state": every.state, **see}
    return [
        *(web.get(f"/_simulator/{name}", _guarded(view)) for name, view in views.items()),
        *(web.post(f"/_simulator/{name}", _guarded(act)) for name, act in acts.items()),
    ]


def one_of(kind: str, known: Iterable[Named], wanted: str | None, names: Callable[[Named], tuple[str, str]]) -> Named:
    """The one that is meant, which may be left out (`None`) while there is only one.

    Args:
        names: what each goes by: its id and its name.

    Raises:
        ValueError: none or several are meant; the error tells their names.
    """
    known = list(known)
    found = [each for each in known if wanted is None or wanted in names(each)]
    if len(found) != 1:
        raise ValueError(f"which {kind}? There are {[names(each)[1] for each in known]}")
    return found[0]


def _guarded(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            if request.method == "POST":
                body = await request.json() if request.can_read_body else {}
                if not isinstance(body, dict):
                    raise TypeError("a JSON object is wanted, such as {}")
            else:
                body = dict(request.query)
            return web.json_response({"ok": True, **await act(body)})
        except KeyError as missing:
            return web.json_response({"ok": False, "error": f"missing: {missing.args[0]}"}, status=400)
        except (ValueError, TypeError) as mistake:
            return web.json_response({"ok": False, "error": str(mistake)}, status=400)
        except Exception as mistake:  # what a field of the wrong type leads to
            return web.json_response({"ok": False, "error": f"this does not fit: {mistake!r}"}, status=400)

    return answer


class _Every:
    def __init__(self, simulator: Simulator[Any]) -> None:
        self._simulator = simulator

    async def state(self, body: Body) -> Body:
        return self._simulator.state()

    async def drop(self, body: Body) -> Body:
        return {"dropped": self._simulator.drop_sockets()}

    async def recover(self, body: Body) -> Body:
        self._simulator.recover()
        return {}
