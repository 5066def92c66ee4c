"""Which addresses may be used that come from outside. Pure.

An address in an event came over an exchange, and the bot's token is worth more than any file: it goes to Slack's own
hosts only. They are (https://docs.slack.dev/reference/objects/file-object and
https://docs.slack.dev/interactivity/implementing-slash-commands):

* ``files.slack.com`` and ``slack.com`` for files,
* ``hooks.slack.com`` for a ``response_url``,
* the same below the host of ``api_url``, which is another one for other editions of Slack, and
* ``api_url`` itself with its scheme and port, for tests: the token goes there anyway.
"""

from typing import Final

from yarl import URL

from dragoman.adapting import is_outside

__all__ = ["file_address", "reply_address", "upload_address"]

SLACK: Final = "slack.com"


def file_address(url: str, api_url: str) -> URL | None:
    """The address of a file, if the token may go there."""
    home = URL(api_url).host or SLACK
    return _checked(url, api_url, frozenset({SLACK, f"files.{SLACK}", f"files.{home}"}))


def reply_address(url: str, api_url: str) -> URL | None:
    """A ``response_url``, if it is Slack's."""
    home = URL(api_url).host or SLACK
    return _checked(url, api_url, frozenset({f"hooks.{SLACK}", f"hooks.{home}"}))


def upload_address(url: str, api_url: str) -> URL | None:
    """Where the bytes of a file go, without the token: wherever outside Slack's API says, over TLS."""
    return _checked(url, api_url, None)


def _checked(url: str, api_url: str, hosts: frozenset[str] | None) -> URL | None:
    """Read as the HTTP client reads it, so that nothing can look like one host here and be another there."""
    if any(char.isspace() or char == "\\" or not char.isprintable() for char in url):
        return None
    try:
        found, api = URL(url), URL(api_url)
        port = found.port
    except ValueError:
        return None
    if found.user is not None or found.password is not None or not found.host:
        return None
    if (found.scheme, found.host, port) == (api.scheme, api.host, api.port):
        return found
    good = is_outside(found.host) if hosts is None else (port == 443 and found.host in hosts)
    secure = found.scheme == "https" and good
    return found if secure else None
