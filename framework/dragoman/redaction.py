"""What must never be read in a log, in a dead letter or on a screen: secrets, taken out of texts.

Two kinds are known: the bot's own, which `register` is told when settings are loaded, and what looks like a credential
of a platform. Each is replaced by ``[secret: what it was]``. In texts of a log, that is; what people said stays in the
store as it was said, because it is needed to do it again, and is redacted when it is shown.

=========================  =================================================================================
kind                       what it looks like
=========================  =================================================================================
``configured``             whatever the settings hold as a secret, also quoted or escaped
``slack token``            ``xoxb-``, ``xoxp-``, ``xoxe.xoxp-``, ``xapp-``, ``xwfp-`` and the like
                           (https://docs.slack.dev/authentication/tokens)
``slack url``              ``hooks.slack.com/...`` and any ``response_url``
``discord token``          three parts of base64 with dots, the first the bot's id
                           (https://docs.discord.com/developers/reference#authentication)
``discord webhook``        ``/webhooks/ID/TOKEN`` and ``/interactions/ID/TOKEN``, so interactions' tokens too
                           (https://docs.discord.com/developers/interactions/receiving-and-responding)
``authorization``          the value of such a header, and what follows ``Bearer``
``password``               in ``scheme://user:password@host``
``parameter``              ``?ticket=``, ``&token=`` and the like in addresses
``value``                  of a quoted key such as ``"token"``, ``"client_secret"``
``private key``            PEM
=========================  =================================================================================
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import BaseModel, SecretStr

__all__ = ["RedactedFormatter", "forget", "install", "redact", "register", "register_from"]

#: Shorter ones would be found in ordinary words; in addresses they are hidden all the same.
SHORTEST: Final = 8

#: Keys whose values are secrets, where only an adapter or a skill knows its settings.
SECRET_KEY: Final = re.compile(r"(?:^|_)(?:token|secret|password|passwd|passphrase|credential|api_?key)s?$", re.I)

#: (what a text must hold for it to be worth looking for, what is looked for, what takes its place)
SHAPES: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]] = (
    (
        ("PRIVATE KEY",),
        # To its end, or to the end of what is quoted: JSON has to stay JSON.
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)(?:[^\"'\\]|\\+[nr]))*(?:-----END [A-Z ]*-----)?"
        ),
        "[secret: private key]",
    ),
    (
        ("://",),
        re.compile(r"(?P<kept>[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\"'<>?#]*:)(?!\[secret)[^\s/\"'<>]+@"),
        r"\g<kept>[secret: password]@",
    ),
    (
        ("xox", "xapp-", "xwfp-"),
        re.compile(r"(?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-[\w-]{6,}(?:\.[\w-]{6,})*", re.ASCII),
        "[secret: slack token]",
    ),
    (
        ("hooks.slack",),
        re.compile(r"(?P<kept>hooks\.slack(?:-gov)?\.com/)(?!\[secret)[^\s\"'<>\\]+"),
        r"\g<kept>[secret: slack url]",
    ),
    (
        ("response_url",),
        re.compile(r"(?P<kept>response_url[\"'\\]*\s*[:=]\s*[\"'\\]*)https?://[^\s\"'<>\\]+"),
        r"\g<kept>[secret: slack url]",
    ),
    (
        (".",),
        re.compile(r"[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{25,}", re.ASCII),
        "[secret: discord token]",
    ),
    (
        ("/webhooks/", "/interactions/"),
        re.compile(r"(?P<kept>/(?:webhooks|interactions)/\d{5,}/)(?!\[secret)[^\s/?\"'<>\\]+"),
        r"\g<kept>[secret: discord webhook]",
    ),
    (
        # It is base64 of "interaction:", the interaction's id, and more.
        ("aW50ZXJhY3Rpb246",),
        re.compile(r"aW50ZXJhY3Rpb246[\w+/=-]{8,}", re.ASCII),
        "[secret: discord token]",
    ),
    (
        ("uthorization", "UTHORIZATION"),
        re.compile(
            r"(?P<kept>authorization\\*[\"']?\s*[:=,]\s*(?:b?\\*[\"'])?+(?:(?:bearer|bot|basic|token)\s+)?+)"
            r"(?!\[secret)[^\s\"'\\,)}\]]+",
            re.IGNORECASE,
        ),
        r"\g<kept>[secret: authorization]",
    ),
    (
        ("earer", "EARER"),
        re.compile(r"(?P<kept>\bbearer\s+)(?=[^\s\d]*\d)[\w.~+/=-]{12,}", re.IGNORECASE),
        r"\g<kept>[secret: authorization]",
    ),
    (
        ("=",),
        re.compile(
            r"(?P<kept>[?&;](?:ticket|[a-z_]*token|[a-z_]*secret|password|api_?key)=)(?!\[secret)[^\s&;#\"'<>\\]+", re.I
        ),
        r"\g<kept>[secret: parameter]",
    ),
    (
        (":",),
        re.compile(
            r"(?P<kept>[\"'](?:[a-z]+_)*(?:token|secret|password|api_?key)\\*[\"']\s*:\s*\\*[\"'])"
            r"(?!\[secret|\*+[\"'\\])[^\"'\\]+",
            re.IGNORECASE,
        ),
        r"\g<kept>[secret: value]",
    ),
)

_lock = threading.Lock()
_known: set[str] = set()
_own: re.Pattern[str] | None = None


def redact(text: str) -> str:
    """The text without secrets; the same object if it has none."""
    own = _own
    if own is not None:
        text = own.sub("[secret: configured]", text)
    for hints, pattern, instead in SHAPES:
        if any(hint in text for hint in hints):
            text = pattern.sub(instead, text)
    return text


def register(*secrets: str | SecretStr) -> None:
    """Make secrets of the bot known to this process: `redact` takes them out from now on.

    Those of fewer than `SHORTEST` characters are passed over.
    """
    global _own
    found = (each.get_secret_value() if isinstance(each, SecretStr) else each for each in secrets)
    more = {form for secret in found if len(secret.strip()) >= SHORTEST for form in _forms(secret.strip())}
    with _lock:
        if more <= _known:
            return
        _known.update(more)
        # The longest first: one may begin like another.
        _own = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))


def register_from(settings: object, *, keyed: bool = False) -> None:
    """Register every secret in ``settings``: a model, or what is inside one.

    Every ``SecretStr``, and of addresses only the password. In plain tables, which nobody has validated yet, the texts
    whose keys say that they are secret (``bot_token``, ``password``).
    """
    if isinstance(settings, SecretStr):
        text = settings.get_secret_value()
        register(*([text] if "://" not in text else _passwords(text)))
    elif isinstance(settings, str):
        if keyed and "://" not in settings:
            register(settings)
        else:
            register(*_passwords(settings))
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            if name == "url" and isinstance(value, SecretStr):
                # Only a part of an address is secret, and of a word such as "embedded" nothing is.
                value = value.get_secret_value()
            register_from(value)
        register_from(settings.model_extra or {})
    elif isinstance(settings, Mapping):
        for key, value in settings.items():
            register_from(value, keyed=keyed or bool(SECRET_KEY.search(str(key))))
    elif isinstance(settings, Iterable) and not isinstance(settings, bytes | bytearray):
        for value in settings:
            register_from(value, keyed=keyed)


def forget() -> None:
    """Forget what was registered: for tests."""
    global _own
    with _lock:
        _known.clear()
        _own = None


class RedactedFormatter(logging.Formatter):
    """What another formatter makes of a record, without secrets: message, traceback, notes and all.

    Args:
        inner: the other formatter.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be read by anybody."""
        return redact(self.inner.format(record))


def install(loggers: Iterable[logging.Logger] | None = None) -> None:
    """Take secrets out of what this process logs, and of what it prints when it ends by an exception.

    Args:
        loggers: those whose handlers write without secrets from now on; the root logger if left out.
    """
    for logger in loggers if loggers is not None else [logging.getLogger()]:
        for handler in logger.handlers:
            if not isinstance(handler.formatter, RedactedFormatter):
                handler.setFormatter(RedactedFormatter(handler.formatter or logging.Formatter()))
    sys.excepthook = _print_exception
    threading.excepthook = _print_thread


def _print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact(_formatted(kind, error, trace)))


def _print_thread(args: Any) -> None:
    if args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread is not None else "?"
    text = _formatted(args.exc_type, args.exc_value, args.exc_traceback)
    sys.stderr.write(redact(f"Exception in thread {name}:\n{text}"))


def _formatted(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> str:
    return "".join(traceback.format_exception(kind, error, trace))


def _forms(secret: str) -> set[str]:
    """As it may stand in a text: as it is, in a repr, in JSON, in an address."""
    writers: tuple[Callable[[str], str], ...] = (
        str,
        lambda text: repr(text)[1:-1],
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        quote,
        lambda text: quote(text, safe=""),
        quote_plus,
    )
    return {written for writer in writers if len(written := writer(secret)) >= SHORTEST}


def _passwords(text: str) -> list[str]:
    """Those in an address, as it is written there and as it is meant, unless it is the user's name again."""
    try:
        parts = urlsplit(text)
        user, password = parts.username, parts.password
    except ValueError:
        return []
    if not password or password == user:
        return []
    return [password, unquote(password)]
