"""No secret survives in what is logged, kept as an error, or shown; ordinary text does as it is."""

import base64
import io
import json
import logging
import string
import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from dragoman import logs, redaction
from dragoman.redaction import redact, register, register_from
from dragoman.sections import BrokerSettings, StoreSettings

#: Put together here, so that no scan for secrets takes these tests for a leak.
XOX, XAPP = "xox", "xapp"
WORD = string.ascii_letters + string.digits


def text_of(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


def discord_token(id: int, middle: str, last: str) -> str:
    return f"{base64.b64encode(str(id).encode()).decode().rstrip('=')}.{middle}.{last}"


SLACK = st.builds(
    lambda kind, first, second: f"{XOX}{kind}-{first}-{second}" if kind else f"{XAPP}-1-A{first}-{second}",
    st.sampled_from(["b", "p", "a", "e", "e." + XOX + "p", ""]),
    text_of(string.digits, 9, 13),
    text_of(WORD, 12, 40),
)
DISCORD = st.builds(
    discord_token,
    st.integers(10**17, 2**63),
    text_of(WORD + "-_", 6, 6),
    text_of(WORD + "-_", 27, 38),
)
CONFIGURED = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=8, max_size=60)
#: What people and programs say: words, numbers, dots, times, ids.
PLAIN = st.lists(
    st.sampled_from(
        [
            *("the", "answer", "is", "42", "at", "09:30", "see", "https://example.org/a?b=c", "<@U0123>", "main.py:7"),
            *("dragoman.skill.dice", "Error:", "authorised", "token", "a.b.c", "C04:1700000000.000100", "…", "\n"),
            *(
                "xoxo",
                "bot",
                "Bearer",
                "no",
                "amqp://rabbit.example:5672/bots",
                "ann@example.org",
                "password",
                "webhooks",
            ),
            "{'key': 'x'}",
        ]
    ),
    max_size=30,
).map(" ".join)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    redaction.forget()
    yield
    redaction.forget()


@given(PLAIN)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_what_is_redacted_once_is_redacted(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text(), st.one_of(SLACK, DISCORD), st.text())
@example("abc", discord_token(10**17, "abcdef", "x" * 27), "xyz")
def test_a_token_of_a_platform_survives_nowhere(before: str, token: str, after: str) -> None:
    assert token not in redact(before + token + after)


@given(st.text(), CONFIGURED, st.text())
def test_a_configured_secret_survives_nowhere(before: str, secret: str, after: str) -> None:
    redaction.forget()
    register(secret)
    for said in (before + secret + after, repr(before + secret), json.dumps({"x": secret + after})):
        found = redact(said).replace("[secret: configured]", "")
        assert secret not in found
        assert json.dumps(secret)[1:-1] not in found


@given(st.text(string.ascii_letters, min_size=1, max_size=8), CONFIGURED, st.one_of(SLACK, DISCORD))
def test_no_secret_survives_in_notes_and_chained_tracebacks(word: str, secret: str, token: str) -> None:
    redaction.forget()
    register(secret)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("chained")
    logger.addHandler(handler)
    redaction.install([logger])
    try:
        try:
            raise KeyError(f"{word}{token}")
        except KeyError as first:
            first.add_note(f"with {secret}")
            raise RuntimeError({"headers": {"Authorization": f"Bot {token}"}, "given": secret}) from first
    except RuntimeError as second:
        second.add_note(token)
        whole = "".join(traceback.format_exception(second))
        logger.exception("it failed with %s and %r", token, secret)
    for text in (redact(whole), stream.getvalue()):
        assert token not in text
        assert secret not in text.replace("[secret: configured]", "")
        assert (
            "The above exception was the direct cause" in text or secret in "The above exception was the direct cause"
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amqp://bot:hunter2@rabbit.example/bots is away", "amqp://bot:[secret: password]@rabbit.example/bots is away"),
        ("redis://:p@ss@host:1/0", "redis://:[secret: password]@host:1/0"),
        ("postgresql+psycopg://u:p%40@db", "postgresql+psycopg://u:[secret: password]@db"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [secret: authorization]"),
        ("{'Authorization': 'Bot abc'}", "{'Authorization': 'Bot [secret: authorization]'}"),
        ("(b'authorization', b'Basic YTpi')", "(b'authorization', b'Basic [secret: authorization]')"),
        ("sent Bearer 0123456789abcdef", "sent Bearer [secret: authorization]"),
        (
            "POST https://hooks.slack.com/commands/T1/2/abcdef failed",
            "POST https://hooks.slack.com/[secret: slack url] failed",
        ),
        ('{"response_url": "http://127.0.0.1:9/x"}', '{"response_url": "[secret: slack url]"}'),
        (
            "https://discord.com/api/v10/webhooks/123456789012345678/ab-cd_ef/messages/@original",
            "https://discord.com/api/v10/webhooks/123456789012345678/[secret: discord webhook]/messages/@original",
        ),
        (
            "/api/v10/interactions/123456789012345678/abcdef/callback",
            "/api/v10/interactions/123456789012345678/[secret: discord webhook]/callback",
        ),
        ("token aW50ZXJhY3Rpb246MTIzNDU2Nzg5 was", "token [secret: discord token] was"),
        (
            "wss://wss.slack.com/link/?ticket=abc&app_id=1",
            "wss://wss.slack.com/link/?ticket=[secret: parameter]&app_id=1",
        ),
        ("{'token': 'abc', 'id': '1'}", "{'token': '[secret: value]', 'id': '1'}"),
        ('"{\\"client_secret\\": \\"abc\\"}"', '"{\\"client_secret\\": \\"[secret: value]\\"}"'),
        ("SecretStr('**********') {'token': '**********'}", "SecretStr('**********') {'token': '**********'}"),
        ("-----BEGIN " + "PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- .", "[secret: private key] ."),
    ],
)
def test_each_shape_is_replaced_by_what_it_was(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


@given(st.dictionaries(st.sampled_from(["a", "token", "Authorization", "url"]), st.one_of(st.text(), SLACK, DISCORD)))
@example({"a": "-----BEGIN " + "PRIVATE KEY-----\nabc"})
@example({"a": "amqp://u:p\\@h"})
def test_json_stays_json(given: dict[str, str]) -> None:
    assert json.loads(redact(json.dumps(given))).keys() == given.keys()


class Inner(BaseModel):
    """Of a skill that has an account elsewhere."""

    keys: list[SecretStr]


class Outer(BaseModel):
    """Settings with secrets at several depths."""

    name: str = "not-a-secret"
    inner: dict[str, Inner]
    raw: Annotated[dict[str, object], "as it was written"]


def test_secrets_of_settings_are_found_wherever_they_are() -> None:
    register_from(
        Outer(
            inner={"x": Inner(keys=[SecretStr("first-secret")])},
            raw={"bot_token": "second-secret", "deep": [{"api_key": "third-secret"}], "platform": "not-secret"},
        )
    )
    register_from(BrokerSettings(url=SecretStr("amqp://bot:fourth%2Fsecret@host")))
    register_from(BrokerSettings(url=SecretStr("embedded")))
    register_from(StoreSettings(url=SecretStr("postgresql://postgres:postgres@host/name")))
    hidden = "[secret: configured]"
    said = "first-secret second-secret third-secret fourth%2Fsecret fourth/secret"
    assert redact(said) == " ".join([hidden] * 5)
    assert redact("embedded not-a-secret not-secret postgres") == "embedded not-a-secret not-secret postgres"


def test_short_secrets_are_hidden_in_addresses_and_not_in_words() -> None:
    register("guest")
    assert redact("a guest at amqp://guest:guest@host") == "a guest at amqp://guest:[secret: password]@host"


def test_what_a_part_logs_has_no_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.set_up("gateway", "info")
        register("correct-horse-battery")
        try:
            raise ValueError("correct-horse-battery")
        except ValueError:
            logging.getLogger("kombu").exception("with %s", "amqp://u:pw@host")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = capsys.readouterr().err
    assert "amqp://u:[secret: password]@host" in said
    assert "ValueError: [secret: configured]" in said
    assert "correct-horse" not in said


@pytest.mark.parametrize("thread", [False, True])
def test_what_ends_a_process_is_printed_without_secrets(thread: bool) -> None:
    failing = "raise ValueError('correct-horse-battery')"
    if thread:
        failing = f"import threading; threading.Thread(target=lambda: exec({failing!r}), name='t').start()"
    code = f"""
from dragoman import logs, redaction
redaction.register("correct-horse-battery")
logs.set_up("run")
{failing}
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "ValueError: [secret: configured]" in ended.stderr
    assert "correct-horse" not in ended.stderr


def test_celerys_own_logs_have_no_secrets() -> None:
    code = """
from dragoman import redaction
from dragoman.worker import app
from celery import Celery
from celery.utils.log import get_task_logger
redaction.register("correct-horse-battery")
worker = Celery("x", set_as_current=False)
worker.conf.worker_hijack_root_logger = False
worker.log.setup_logging_subsystem(loglevel="INFO")
get_task_logger("y").error("in a task: correct-horse-battery")
import logging
logging.getLogger("celery").error("in celery: amqp://u:pw@host")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "in a task: [secret: configured]" in ended.stderr
    assert "in celery: amqp://u:[secret: password]@host" in ended.stderr
