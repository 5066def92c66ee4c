"""HTTP: the API's way from a request to an answer, and the other addresses that Discord has."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from dragoman.testing.simulating import hang_up

from .api import METHODS
from .call import Answer, Call, Method, Upload
from .cdn import Fetched
from .control import control_routes
from .faults import Fault
from .limits import Exceeded
from .refused import Refused
from .socket import Socket

if TYPE_CHECKING:
    from .application import Application
    from .server import DiscordSimulator

__all__ = ["Said", "routes"]

_dumps = json.JSONEncoder(separators=(",", ":")).encode
#: What limits are counted by: https://docs.discord.com/developers/topics/rate-limits#rate-limits
_MAJOR: Final = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")
#: Path parameters that are no ids.
_NAMES: Final = frozenset({"emoji_name", "webhook_token", "interaction_token"})


@dataclass(slots=True)
class Said:
    """A call that the simulator was made: when, with what, and how it was answered.

    Attributes:
        route: such as ``POST /channels/{channel_id}/messages``, or the address if there is no such route.
        status: HTTP status of the answer; 0 while there is none, or if it was lost.
        error: Discord's error code and message, or empty.
        body: the JSON that came; ``answer``: the JSON that went back.
        performed: whether it was done, even if the answer does not say so.
    """

    route: str
    time: float
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: int = 0
    app: "Application | None" = None
    status: int = 0
    error: str = ""
    answer: Any = None
    performed: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def routes(simulator: "DiscordSimulator") -> list[web.RouteDef]:
    """All addresses of the simulator."""
    server = _Web(simulator)
    return [
        *(web.route(method.verb, f"/api/v10{method.path}", server.handler(method)) for method in METHODS),
        web.route("*", "/api/{rest:.*}", server.unknown),
        *(web.get(path, server.connect) for path in ("/", "/gateway", "/gateway/", "/resume", "/resume/")),
        web.get("/attachments/{channel}/{id}/{name}", server.file),
        *control_routes(simulator),
    ]


class _Web:
    def __init__(self, simulator: "DiscordSimulator") -> None:
        self.simulator = simulator

    def handler(self, method: Method) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.call(request, method)

        return handle

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        return await self.call(request, None)

    async def call(self, request: web.Request, method: Method | None) -> web.StreamResponse:
        simulator = self.simulator
        route = method.route if method is not None else f"{request.method} {request.path}"
        said = Said(route, time.time(), dict(request.match_info), dict(request.query))
        simulator.calls.append(said)
        simulator.changed()
        delay, fault = simulator.faults.take(route)
        if delay:
            await simulator.wait(delay)
        headers: dict[str, str] = {}
        answer = Answer()
        if fault is None or fault.performed:
            answer = await self._answer(request, method, said, headers)
        if fault is not None:
            simulator.changed()
            if fault.status == 0:
                return hang_up(request)
            answer = _faulty(fault, headers)
        said.status, said.answer, said.headers = answer.status, answer.body, headers
        if answer.status >= 400 and isinstance(answer.body, dict):
            said.error = f"{answer.body.get('code', '')} {answer.body.get('message', '')}"
            if answer.body.get("errors"):
                said.error += f" {_dumps(answer.body['errors'])}"
        simulator.changed()
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        # Without a charset, as Discord says it: discord.py reads nothing else as JSON.
        return web.Response(
            body=_dumps(answer.body).encode(), status=answer.status, content_type="application/json", headers=headers
        )

    async def _answer(self, request: web.Request, method: Method | None, said: Said, headers: dict[str, str]) -> Answer:
        try:
            answer = await self._perform(request, method, said, headers)
        except Refused as refusal:
            return Answer(refusal.payload, refusal.status)
        except Exceeded as exceeded:
            return _limited(headers | exceeded.headers, headers, exceeded.retry_after, exceeded.whole)
        said.performed = True
        answer.status = answer.status or (204 if answer.body is None else 200)
        return answer

    async def _perform(
        self, request: web.Request, method: Method | None, said: Said, headers: dict[str, str]
    ) -> Answer:
        if method is None:
            raise Refused(0, status=404, message="404: Not Found")
        app = self._authenticate(request, method)
        said.app = app
        major = "/".join(request.match_info[name] for name in _MAJOR if name in request.match_info)
        headers |= self.simulator.limits.spend(method.route, major, app.id)
        for name, value in request.match_info.items():
            if name not in _NAMES and not value.startswith("@") and not (value.isascii() and value.isdigit()):
                wrong = {"code": "NUMBER_TYPE_COERCE", "message": f'Value "{value}" is not snowflake.'}
                raise Refused(50035, errors={name: {"_errors": [wrong]}})
        body, files = await self._read(request)
        said.body, said.files = body, len(files)
        call = Call(self.simulator, app, request.match_info, request.query, {} if body is None else body, files)
        answer = method.run(call)
        return answer if isinstance(answer, Answer) else await answer

    def _authenticate(self, request: web.Request, method: Method) -> "Application":
        if method.open:
            return self._of_interaction(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        app = self.simulator.app_of(token.strip()) if scheme == "Bot" else None
        if app is None:
            raise Refused(0, status=401, message="401: Unauthorized")
        return app

    def _of_interaction(self, request: web.Request) -> "Application":
        """Whose an interaction's token is; the path has it."""
        ids = request.match_info
        token = ids.get("interaction_token") or ids.get("webhook_token", "")
        found = self.simulator.interactions.get(token)
        if "interaction_id" in ids:
            if found is None or found.id != ids["interaction_id"]:
                raise Refused(10062)
        elif ids["webhook_id"] not in self.simulator.applications:
            raise Refused(10015)
        elif found is None or found.app.id != ids["webhook_id"] or not found.open:
            raise Refused(50027)
        assert found is not None
        return found.app

    async def _read(self, request: web.Request) -> tuple[Any, list[Upload]]:
        """The JSON and the files, from wherever Discord takes them."""
        if not request.can_read_body:
            return None, []
        if request.content_type == "application/json":
            return self._json(await request.text()), []
        if request.content_type != "multipart/form-data":
            return None, []
        body, files = None, []
        size = largest = 0
        async for part in await request.multipart():
            if getattr(part, "name", None) == "payload_json":
                body = self._json((await part.read()).decode())  # type: ignore[union-attr]
            elif getattr(part, "filename", None):
                content = bytes(await part.read())  # type: ignore[union-attr]
                size, largest = size + len(content), max(largest, len(content))
                files.append(Upload(part.name or "", part.filename or "", content))  # type: ignore[union-attr]
        if largest > self.simulator.largest_file or size > self.simulator.largest_request:
            raise Refused(40005)
        return body, files

    def _json(self, text: str) -> Any:
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise Refused(50109) from None

    async def connect(self, request: web.Request) -> web.StreamResponse:
        simulator = self.simulator
        simulator.meet()
        socket = Socket(simulator, request)
        simulator.sockets.add(socket)
        try:
            return await socket.serve()
        finally:
            simulator.sockets.discard(socket)

    async def file(self, request: web.Request) -> web.StreamResponse:
        simulator = self.simulator
        simulator.fetched.append(Fetched(request.path, dict(request.headers)))
        delay, fault = simulator.faults.take("GET /attachments/{channel}/{id}/{name}")
        if delay:
            await simulator.wait(delay)
        if fault is not None:
            if fault.status == 0:
                return hang_up(request)
            return web.Response(status=fault.status, headers=fault.headers)
        file = simulator.attachments.get(f"{request.match_info['channel']}/{request.match_info['id']}")
        signed = simulator.signer.valid(request.path, request.query, simulator.now())
        if file is None or file.name != request.match_info["name"] or not signed:
            raise web.HTTPNotFound(text="This content is no longer available.")
        return web.Response(body=file.content, content_type=file.type)


def _limited(
    shown: Mapping[str, str], headers: dict[str, str], seconds: float, whole: bool, *, via: bool = True
) -> Answer:
    """https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit"""
    seconds = max(0.001, round(seconds, 3))
    headers |= shown
    # The header is in whole seconds, and not too few.
    headers["Retry-After"] = str(int(-(-seconds // 1)))
    headers["X-RateLimit-Scope"] = "global" if whole else "user"
    if whole:
        headers["X-RateLimit-Global"] = "true"
    if via:
        headers["Via"] = "1.1 google"
    return Answer({"message": "You are being rate limited.", "retry_after": seconds, "global": whole, "code": 0}, 429)


def _faulty(fault: Fault, headers: dict[str, str]) -> Answer:
    headers |= fault.headers
    if fault.status == 429:
        if not fault.via:
            # So says the network before Discord ("Cloudflare ban"): https://docs.discord.com/developers/topics/rate-limits
            headers["Retry-After"] = str(int(-(-fault.retry_after // 1)))
            return Answer(None, 429)
        return _limited({}, headers, fault.retry_after, fault.whole)
    refusal = Refused(
        fault.code, status=fault.status, message=fault.message or ("" if fault.code else f"{fault.status}: fault")
    )
    return Answer(refusal.payload, fault.status)
