"""Slack's Web API through slack_sdk: one client on one kept session, and its refusals as our errors.

Server errors (500, 503) are tried again by slack_sdk's own retry handlers, and so are rate limits of what is only read
(429, after the ``Retry-After`` that Slack gives: https://docs.slack.dev/apis/web-api/rate-limits). A limit of what
actions do is the gateway's to wait for, with everything else that is to be said. A connection that cannot be made is
tried again, too. One that breaks after the request was sent is not: nobody knows whether Slack has done it, so the
gateway must look first (``action.again``). Nor is a message whose posting is answered with a 500 or 503: Slack may have
posted it and failed only afterwards.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from dragoman import AccountError, DeliveryError
from dragoman.outward import outward

from .methods import METHODS, POST, READING
from .settings import SlackSettings

__all__ = ["Api", "account_error", "quiet_logger"]

#: Refusals that may pass: https://docs.slack.dev/reference/methods/chat.postMessage#errors
PASSING: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)

BAD_TOKEN: Final = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)

ADVICE: Final[Mapping[str, str]] = {
    "account_inactive": "the app was removed from the workspace: install it again and set its new tokens",
    "invalid_auth": "Slack does not know it: copy it again from https://api.slack.com/apps",
    "not_authed": "it is empty: copy it from https://api.slack.com/apps",
    "not_allowed_token_type": "it is of the wrong type: bot_token starts with xoxb-, app_token with xapp-",
    "token_expired": "it has expired: turn token rotation off in the app, or set a new one",
    "token_revoked": "it was revoked: install the app again and set its new tokens",
    "not_in_channel": "invite the bot to the channel",
    "channel_not_found": "the channel does not exist, or the bot was not invited to it",
    "is_archived": "the channel is archived",
    "file_type_not_allowed": "the workspace does not allow files of this type",
    "file_upload_size_restricted": "it is larger than the workspace allows",
    "file_uploads_disabled": "nobody may upload files in the workspace",
    "file_uploads_except_images_disabled": "only images may be uploaded in the workspace",
}


def quiet_logger(name: str) -> logging.Logger:
    """A logger for slack_sdk that never says less important things than warnings.

    The SDK formats every request and response for a logger without a level of its own, which takes time, and
    at DEBUG it logs what people say.
    """
    logger = logging.Logger(name, logging.WARNING)
    logger.parent = logging.getLogger("dragoman_slack")
    return logger


def account_error(account: str, setting: str, error: DeliveryError) -> AccountError:
    """What is wrong with the token in ``setting``; the token itself is never said."""
    return AccountError(f"account {account!r}: Slack does not take {setting}: {error}", account=account)


class ReadingLimited(AsyncRateLimitErrorRetryHandler):
    """Waits for the rate limit of a method that no action is made of."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.rpartition("/")[2] in METHODS:
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


class ServerFailed(AsyncServerErrorRetryHandler):
    """Tries again what is the same when it is done twice; a message would stand there twice."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.rpartition("/")[2] == POST:
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


class Api:
    """Calls of one account. Must be used in one event loop; opens its session at the first call."""

    def __init__(self, settings: SlackSettings) -> None:
        self._settings = settings
        self._client: AsyncWebClient | None = None

    @property
    def client(self) -> AsyncWebClient:
        """slack_sdk's client; its token is the bot's."""
        client = self._client
        if client is None or client.session is None or client.session.closed:
            client = self._client = self._open()
        return client

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session of the client, for what is no method."""
        session = self.client.session
        assert session is not None
        return session

    @property
    def url(self) -> str:
        """Where Slack's Web API is."""
        return self._settings.api_url

    @property
    def bearer(self) -> str:
        """The ``Authorization`` of the bot. A secret: only for Slack's own hosts (`dragoman_slack.hosts`)."""
        return f"Bearer {self._settings.bot_token.get_secret_value()}"

    @property
    def patience(self) -> aiohttp.ClientTimeout:
        """For transfers: however long they take, as long as something moves."""
        timeout = self._settings.timeout
        return aiohttp.ClientTimeout(total=None, connect=timeout, sock_read=timeout)

    @property
    def proxy(self) -> str | None:
        """The proxy to reach Slack through: the setting, else the environment's (``NO_PROXY`` counts)."""
        if self._settings.proxy is not None:
            return self._settings.proxy
        url = urlsplit(self._settings.api_url)
        return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)

    def _open(self) -> AsyncWebClient:
        settings = self._settings
        session = aiohttp.ClientSession(
            connector=outward(settings.api_url, self.proxy), timeout=aiohttp.ClientTimeout(total=settings.timeout)
        )
        retries = settings.max_retries
        client = AsyncWebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.api_url,
            timeout=int(settings.timeout) or 1,
            session=session,
            logger=quiet_logger("dragoman_slack.web"),
            retry_handlers=[
                ReadingLimited(max_retry_count=retries),
                ServerFailed(max_retry_count=retries),
                AsyncConnectionErrorRetryHandler(
                    max_retry_count=min(retries, 2), error_types=[aiohttp.ClientConnectorError]
                ),
            ],
        )
        # slack_sdk takes the environment's proxy for every host; NO_PROXY counts here.
        client.proxy = self.proxy
        return client

    async def call(self, method: str, arguments: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Call a method with the bot token; returns the answer.

        Raises:
            DeliveryError: Slack refused, or could not be reached (``connection``); ``code`` is Slack's own.
        """
        given = dict(arguments or {})
        if method in READING:
            return _object(method, await self._answer(method, http_verb="GET", params=given))
        return _object(method, await self._answer(method, json=given))

    async def granted(self) -> tuple[Mapping[str, Any], frozenset[str] | None]:
        """The answer of ``auth.test``, and the bot token's scopes (``None`` if Slack does not say)."""
        answer = await self._answer("auth.test", json={})
        header = next((v for k, v in answer.headers.items() if k.lower() == "x-oauth-scopes"), None)
        scopes = None if header is None else frozenset(s.strip() for s in str(header).split(",") if s.strip())
        return _object("auth.test", answer), scopes

    async def socket_url(self) -> str:
        """A websocket address that is good for one connection, soon. Raises as `call` does."""
        token = self._settings.app_token.get_secret_value()
        answer = await self._answer("apps.connections.open", params={"token": token})
        url = answer.get("url")
        if not isinstance(url, str):
            raise DeliveryError("apps.connections.open: Slack gave no url", code="bad_response", retry=True)
        return url

    async def close(self) -> None:
        """Close the session; a later call opens a new one."""
        client, self._client = self._client, None
        if client is not None and client.session is not None:
            await client.session.close()

    async def _answer(self, method: str, **how: Any) -> AsyncSlackResponse:
        try:
            return await self.client.api_call(method, **how)
        except SlackApiError as error:
            raise _refusal(method, error.response) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            what = type(error).__name__
            raise DeliveryError(
                f"{method}: no answer from {self._settings.api_url} ({what})", code="connection", retry=True
            ) from None
        except (SlackClientError, AttributeError, ValueError):
            # A proxy's page instead of JSON makes slack_sdk raise any of these.
            raise DeliveryError(
                f"{method}: {self._settings.api_url} did not answer as Slack does",
                code="bad_response",
                retry=True,
            ) from None


def _object(method: str, answer: AsyncSlackResponse) -> Mapping[str, Any]:
    if not isinstance(answer.data, dict):
        raise DeliveryError(f"{method}: Slack did not answer with an object", code="bad_response", retry=True)
    return answer.data


def _refusal(method: str, response: Any) -> DeliveryError:
    """What a refusal means. The response is slack_sdk's, or aiohttp's if its body was no JSON."""
    data = getattr(response, "data", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    code = data.get("error") if isinstance(data, dict) else None
    if not isinstance(code, str):
        return DeliveryError(
            f"{method}: HTTP {status}", code=f"http_{status}", retry=True, after=_after(status, response)
        )
    retry = code in PASSING or status >= 500 or status == 429
    assert isinstance(data, dict)
    if code == "missing_scope":
        needed = data.get("needed") or "another one"
        return DeliveryError(
            f"{method}: the token lacks the scope {needed}: add it to the app (`dragoman slack manifest` "
            "lists all that are needed) and install it again",
            code=code,
        )
    advice = ADVICE.get(code)
    after = _after(status, response)
    return DeliveryError(f"{method}: {code}{f': {advice}' if advice else ''}", code=code, retry=retry, after=after)


def _after(status: int, response: Any) -> float | None:
    """The seconds that Slack wants to be left alone for; ``None`` if that is not what it says."""
    if status != 429:
        return None
    headers = {str(name).lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
    try:
        return max(float(headers.get("retry-after", 1.0)), 0.0)
    except ValueError:
        return 1.0
