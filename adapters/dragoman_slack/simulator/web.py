"""HTTP: the Web API's way from a request to an answer, and the other addresses that Slack has."""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from dragoman.testing.simulating import hang_up

from .api import METHODS, is_retired
from .arguments import Misused, fit
from .call import Call, Method, Refused
from .control import control_routes
from .faults import Fault

if TYPE_CHECKING:
    from .app import App
    from .server import SlackSimulator

__all__ = ["Said", "routes"]

_POST_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_dumps = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class Said:
    """A call that the simulator was made: when, with what, and how it was answered.

    Attributes:
        error: Slack's error code, or empty.
        answered: when; `None` while it is not.
    """

    method: str
    args: Mapping[str, Any]
    time: float
    app: "App | None" = None
    error: str = ""
    answered: float | None = field(default=None)


def routes(simulator: "SlackSimulator") -> list[web.RouteDef]:
    """All addresses of the simulator."""
    server = _Web(simulator)
    return [
        web.route("*", "/api/{method}", server.call),
        web.get("/link/", server.connect),
        web.get("/files-pri/{file}/{name}", server.file),
        web.post("/upload/v1/{workspace}/{ticket}", server.upload),
        web.post("/commands/{workspace}/{secret}", server.reply),
        *control_routes(simulator),
    ]


class _Web:
    def __init__(self, simulator: "SlackSimulator") -> None:
        self.simulator = simulator

    async def call(self, request: web.Request) -> web.StreamResponse:
        simulator = self.simulator
        name = request.match_info["method"]
        said = Said(name, {}, time.time())
        simulator.calls.append(said)
        delay, fault = simulator.faults.take(name)
        if delay:
            await asyncio.sleep(delay)
        headers: dict[str, str] = {}
        try:
            if fault is not None and not fault.performed:
                raise Refused(fault.error)
            answer = {"ok": True, **await self._perform(request, name, said, headers)}
            if fault is not None:
                raise Refused(fault.error)
        except Refused as refusal:
            said.error = refusal.code
            answer = {"ok": False, "error": refusal.code, **refusal.more}
        said.answered = time.time()
        simulator.changed()
        status = 200
        if fault is not None:
            if fault.status == 0:
                return hang_up(request)
            status = fault.status
            headers |= _retry_after(fault)
        return web.Response(
            text=_dumps(answer),
            status=status,
            content_type="application/json",
            charset="utf-8",
            headers=headers,
        )

    async def _perform(self, request: web.Request, name: str, said: Said, headers: dict[str, str]) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            if is_retired(name):
                raise Refused("method_deprecated")
            raise Refused("unknown_method", req_method=name)
        given, token = await self._read(request, method)
        said.args = given
        app = self._authenticate(method, token, headers)
        said.app = app
        if (
            app is not None
            and method.scopes
            and method.token == "bot"  # noqa: S105
            and app.scopes.isdisjoint(method.scopes)
        ):
            provided = ",".join(sorted(app.scopes))
            raise Refused("missing_scope", needed=",".join(method.scopes), provided=provided)
        try:
            args = fit(method.arguments, given, open=method.open, strict=self.simulator.strict)
        except Misused as misuse:
            raise Refused(misuse.code, *misuse.messages) from None
        return method.run(Call(self.simulator, app, method, args))  # type: ignore[arg-type]

    async def _read(self, request: web.Request, method: Method) -> tuple[dict[str, Any], str]:
        """The arguments and the token, from wherever Slack takes them."""
        given: dict[str, Any] = dict(request.query)
        if request.method == "POST" and request.can_read_body:
            if "Content-Type" not in request.headers:
                raise Refused("missing_post_type")
            if request.content_type not in _POST_TYPES:
                raise Refused("invalid_post_type")
            if request.content_type == "application/json":
                body = await self._json(request)
                if method.json:  # the others do not see a JSON body at all
                    given |= body
            else:
                given |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        header = request.headers.get("Authorization", "")
        scheme, _, credential = header.partition(" ")
        token = credential.strip() if scheme.lower() == "bearer" else ""
        passed = given.pop("token", "")
        return given, token or (passed if isinstance(passed, str) else "")

    async def _json(self, request: web.Request) -> dict[str, Any]:
        try:
            body = json.loads(await request.text())
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return body

    def _authenticate(self, method: Method, token: str, headers: dict[str, str]) -> "App | None":
        if method.token == "none":  # noqa: S105
            return None
        if not token:
            raise Refused("not_authed")
        known = self.simulator.tokens.get(token)
        if known is None:
            raise Refused("invalid_auth")
        app, kind = known
        if app.uninstalled:
            raise Refused("account_inactive")
        granted = app.scopes if kind == "bot" else {"connections:write"}
        headers["X-OAuth-Scopes"] = ",".join(sorted(granted))
        headers["X-Accepted-OAuth-Scopes"] = ",".join(method.scopes)
        if kind != method.token:
            raise Refused("not_allowed_token_type")
        return app

    async def connect(self, request: web.Request) -> web.StreamResponse:
        simulator = self.simulator
        simulator.meet()
        app = simulator.tickets.pop(request.query.get("ticket", ""), None)
        if app is None:
            raise web.HTTPUnauthorized(text="the ticket is unknown or was used; call apps.connections.open")
        return await app.link.serve(request)

    async def _fault(self, request: web.Request, name: str) -> web.StreamResponse | None:
        """What was made to go wrong at an address that is no method; always before anything is done."""
        delay, fault = self.simulator.faults.take(name)
        self.simulator.calls.append(Said(name, dict(request.headers), time.time()))
        self.simulator.changed()
        if delay:
            await asyncio.sleep(delay)
        if fault is None:
            return None
        if fault.status == 0:
            return hang_up(request)
        return web.Response(status=fault.status, text=fault.error, headers=_retry_after(fault))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Whoever may not see it gets the login page: without a token by a redirect, without the scope at once."""
        if (failed := await self._fault(request, "files-pri")) is not None:
            return failed
        known = self.simulator.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if known is None:
            raise web.HTTPFound(f"https://slack.invalid/?redir={quote(request.path, safe='')}")
        if "files:read" not in known[0].scopes:
            return web.Response(text="<!DOCTYPE html><title>Slack</title>Sign in", content_type="text/html")
        file = known[0].workspace.files.get(request.match_info["file"].rpartition("-")[2])
        if file is None or file.deleted:
            raise web.HTTPNotFound
        body = file.content if file.content is not None else secrets.token_bytes(file.size)
        as_file = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return web.Response(body=body, content_type=file.mimetype, headers=as_file)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, raw. https://docs.slack.dev/reference/methods/files.getUploadURLExternal"""
        if (failed := await self._fault(request, "upload")) is not None:
            return failed
        workspace = self.simulator.workspaces.get(request.match_info["workspace"])
        ticket = workspace.tickets.get(request.match_info["ticket"]) if workspace is not None else None
        if ticket is None:
            raise web.HTTPNotFound
        content = await request.read()
        if len(content) != ticket.length:
            raise web.HTTPBadRequest(text=f"{len(content)} bytes instead of {ticket.length}")
        ticket.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """A ``response_url``."""
        if (failed := await self._fault(request, "response_url")) is not None:
            return failed
        found = (app.replies.get(request.match_info["secret"]) for app in self.simulator.apps)
        address = next((each for each in found if each is not None), None)
        if address is None:
            raise web.HTTPNotFound
        status, said = address.answer(await request.json(), time.time())
        if status == 200:
            return web.Response(text=said)
        return web.json_response({"ok": False, "error": said}, status=status)


def _retry_after(fault: Fault) -> dict[str, str]:
    return {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
