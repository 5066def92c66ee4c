"""Discord's REST API through discord.py: one client on one kept session, and its refusals as our errors.

discord.py's client knows Discord's rate limits and waits for them, and tries 500, 502, 504 and 524 again; what a
bot posts has an enforced nonce, so that makes no second message. Its address is a class attribute of all clients
in the process, and interactions go past it (``discord.webhook.async_``): here each client has its own, and
interactions use it like everything else.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from discord.errors import DiscordException, HTTPException, LoginFailure, RateLimited
from discord.http import HTTPClient, Route

from dragoman import AccountError, DeliveryError

from .identity import Identity
from .render import Call
from .secrecy import keep_quiet
from .settings import DiscordSettings
from .uploads import Open, nothing_to_open, patience, too_large, uploading

__all__ = ["Api", "Http"]

log = logging.getLogger(__name__)
# It says the addresses that it calls, and those of interactions have a token in them.
keep_quiet(logging.getLogger("discord.http"))

#: Refusals that may pass (https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes):
#: a thing is overloaded, or limited in how often it may be written.
PASSING: Final = frozenset({20016, 20022, 20028, 40062, 130000})

#: Seconds that discord.py waits for a rate limit by itself, the least that it can be told; for longer ones the gateway
#: waits, with everything else that is to be said there.
LONGEST: Final = 30.0

ADVICE: Final[Mapping[int, str]] = {
    10003: "the channel does not exist, or the bot is not in its guild",
    10008: "the message does not exist (any more)",
    10014: "the bot knows no such emoji",
    50001: "the bot may not see the channel: give its role the permission View Channel",
    50007: "this person takes no direct messages from the bot",
    50013: "the bot's role lacks a permission: Send Messages, Attach Files, Add Reactions, Create Public Threads or "
    "Read Message History",
    50083: "the thread is archived",
}


class Http(HTTPClient):
    """discord.py's client with an address of its own."""

    def __init__(self, settings: DiscordSettings) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop, proxy=settings.proxy, max_ratelimit_timeout=LONGEST)
        self._url = settings.api_url
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout)

    async def request(self, route: Route, **how: Any) -> Any:
        """Call ``route`` at our own address."""
        if route.url.startswith(Route.BASE):
            route.url = self._url + route.url.removeprefix(Route.BASE)
        how.setdefault("timeout", self._timeout)
        return await super().request(route, **how)


class Api:
    """Calls of one account. Must be used in one event loop; opens its session at the first call.

    Args:
        open_file: gives the bytes of a file that has a ``blob``; raises `DeliveryError`.
    """

    def __init__(self, account: str, settings: DiscordSettings, open_file: Open = nothing_to_open) -> None:
        self._account = account
        self._settings = settings
        self._open_file = open_file
        self._opening = asyncio.Lock()
        self._http: Http | None = None
        self._user: Mapping[str, Any] = {}

    async def http(self) -> Http:
        """The client, logged in.

        Raises:
            AccountError: Discord does not know the token.
            DeliveryError: it cannot be asked now.
        """
        async with self._opening:
            if self._http is None:
                http = Http(self._settings)
                try:
                    self._user = await http.static_login(self._settings.token.get_secret_value())
                except LoginFailure:
                    await http.close()
                    raise AccountError(
                        f"account {self._account!r}: Discord does not take the token: copy it again from the page "
                        "'Bot' of the app at https://discord.com/developers/applications",
                        account=self._account,
                    ) from None
                except BaseException as error:
                    await http.close()
                    raise self._error("GET /users/@me", error) from None
                self._http = http
            return self._http

    async def identity(self) -> Identity:
        """Who we are. Raises as `http` does."""
        await self.http()
        application = await self.call(Call("GET", "/oauth2/applications/@me"))
        known = isinstance(self._user, Mapping) and isinstance(application, Mapping)
        user, app = (_text(self._user.get("id")), _text(application.get("id"))) if known else ("", "")
        if not user or not app:
            await self.close()
            raise DeliveryError(
                f"{self._settings.api_url} does not say who we are, as Discord does", code="bad_response", retry=True
            )
        flags = application.get("flags")
        name = _text(self._user.get("username"))
        endpoint = _text(application.get("interactions_endpoint_url"))
        return Identity(user, app, name or user, flags if isinstance(flags, int) else 0, endpoint)

    async def call(self, call: Call) -> Any:
        """Make a call, with its files; returns the answer: an object or a list, an empty text if there is none.

        Raises:
            DeliveryError: Discord refused, or could not be reached (``connection``); ``code`` is Discord's own.
                A file is too large, or its bytes are gone.
        """
        try:
            http = await self.http()
        except AccountError as error:
            raise DeliveryError(str(error), code="401") from None
        route = Route(call.method, call.path, **call.ids)
        how: dict[str, Any] = {}
        if call.query:
            how["params"] = {name: str(value) for name, value in call.query.items()}
        if call.files:
            with uploading(call, self._open_file) as (form, files, size):
                timeout = aiohttp.ClientTimeout(total=patience(size, self._settings.timeout))
                return await self._make(http, call, route, **how, form=form, files=files, timeout=timeout)
        if call.body is not None:
            how["json"] = call.body
        return await self._make(http, call, route, **how)

    async def _make(self, http: Http, call: Call, route: Route, **how: Any) -> Any:
        try:
            return await http.request(route, **how)
        except Exception as error:
            made = self._error(f"{call.method} {call.path}", error, whole="channel_id" not in call.ids)
            refused = too_large(call, made.code) if isinstance(made, DeliveryError) else None
            raise refused or made from None

    async def close(self) -> None:
        """Close the session; a later call opens a new one."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    def _error(self, what: str, error: BaseException, *, whole: bool = True) -> BaseException:
        """As ours, if it is Discord's or the network's. An address may have a token in it: only its shape is said."""
        match error:
            case RateLimited():
                # Each channel has its own limits: https://docs.discord.com/developers/topics/rate-limits
                after = error.retry_after
                return DeliveryError(
                    f"{what}: limited for {after:.0f} s", code="429", retry=True, after=after, whole=whole
                )
            case HTTPException():
                return _refusal(what, error)
            case aiohttp.ClientError() | OSError() | TimeoutError():
                kind = type(error).__name__
                return DeliveryError(
                    f"{what}: no answer from {self._settings.api_url} ({kind})", code="connection", retry=True
                )
            case DiscordException() | RuntimeError() | ValueError() | KeyError() | TypeError():
                # A proxy's page instead of JSON, or a client that is being closed.
                return DeliveryError(
                    f"{what}: {self._settings.api_url} did not answer as Discord does", code="bad_response", retry=True
                )
            case _:
                return error


def _refusal(what: str, error: HTTPException) -> DeliveryError:
    if not error.code:
        retry = error.status >= 500 or error.status == 429
        after = _after(error) if error.status == 429 else None
        return DeliveryError(f"{what}: HTTP {error.status}", code=f"http_{error.status}", retry=retry, after=after)
    retry = error.status >= 500 or error.status == 429 or error.code in PASSING
    advice = ADVICE.get(error.code)
    text = " ".join(error.text.split()) or f"error {error.code}"
    return DeliveryError(f"{what}: {text}{f': {advice}' if advice else ''}", code=str(error.code), retry=retry)


def _after(error: HTTPException) -> float | None:
    """The seconds that the network before Discord wants no more calls for: that is for all of them."""
    try:
        return float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
