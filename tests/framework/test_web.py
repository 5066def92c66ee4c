"""The web server, with a real client, a real store and a broker in memory."""

import asyncio
import contextlib
import hmac
import logging
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dragoman import SettingsError, wire
from dragoman.exchange import Broker
from dragoman.store.engine import open_store
from dragoman.web import LARGEST
from support.servers import free_port, wait_until
from support.web import AUTHORIZED, SECRET, Rig, hooked, serving


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition)


@pytest.fixture
async def rig(tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr("dragoman.web.LINGER", 0.3)
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    broker = Broker(f"memory://{namespace}", namespace)
    async with serving(engine, broker) as found:
        yield found
    engine.dispose()
    broker.forget()


# -- accepted ---------------------------------------------------------------------------------------------


async def test_a_call_is_in_the_ledger_when_it_is_accepted_and_then_published(rig: Rig) -> None:
    answer = await rig.call("/hooks/ci/build?branch=main&branch=other&x=%FF", '{"ok": "ü"}'.encode(), **AUTHORIZED)
    assert answer.status == 202
    (event,) = rig.recorded()
    assert answer.body == {"event": event.key}
    assert (event.skill, event.handler, event.method, event.path) == ("ci", "built", "POST", "/build")
    assert event.query["branch"] == "main"
    assert event.json_body() == {"ok": "ü"}
    assert event.address.account == "nowhere"
    assert event.person is None
    assert len(event.traceparent) == 55
    await until(lambda: rig.depth() == 1)


async def test_a_call_is_the_first_step_of_its_trace(rig: Rig, spans: InMemorySpanExporter) -> None:
    assert (await rig.call("/hooks/ci/build", b"{}", **AUTHORIZED)).status == 202
    (event,) = rig.recorded()
    (received,) = spans.get_finished_spans()
    context = received.get_span_context()
    assert context is not None
    assert (received.name, received.parent) == ("receive", None)
    assert event.traceparent.split("-")[2] == f"{context.span_id:016x}"


@pytest.mark.parametrize(
    ("path", "handler"), [("/hooks/ci/build", "built"), ("/hooks/ci/deploy/done", "deployed"), ("/hooks/ci", "root")]
)
async def test_each_path_has_its_handler(rig: Rig, path: str, handler: str) -> None:
    assert (await rig.call(path, method="PUT")).status == 202
    (event,) = rig.recorded()
    assert (event.handler, event.method) == (handler, "PUT")


async def test_github_and_gitlab_are_accepted(rig: Rig) -> None:
    signature = hmac.new(SECRET.encode(), b'{"a": 1}', "sha256").hexdigest()
    github = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": "g-1", "X-GitHub-Event": "push"}
    assert (await rig.call(body=b'{"a": 1}', **github)).status == 202
    assert (await rig.call(body=b'{"a": 2}', **{**github, "X-GitHub-Delivery": "g-2"})).status == 401
    assert (await rig.call(**{"X-Gitlab-Token": SECRET, "X-Gitlab-Event-UUID": "l-1"})).status == 202
    assert [event.key for event in rig.recorded()] == ["webhook/ci.built/g-1", "webhook/ci.built/l-1"]
    assert rig.recorded()[0].headers["x-github-event"] == "push"


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-GitHub-Delivery", "X-Gitlab-Event-UUID", "webhook-id"])
async def test_the_same_delivery_again_is_the_same_event(rig: Rig, name: str) -> None:
    answers = await asyncio.gather(*(rig.call(**AUTHORIZED, **{name: "d-1"}) for _ in range(5)))
    assert [(answer.status, answer.body) for answer in answers] == [(202, {"event": "webhook/ci.built/d-1"})] * 5
    other = await rig.call("/hooks/ci/deploy/done", **AUTHORIZED, **{name: "d-1"})
    assert other.body == {"event": "webhook/ci.deployed/d-1"}
    assert len(rig.recorded()) == 2
    await until(lambda: rig.depth() == 2)


async def test_deliveries_that_do_not_say_which_they_are_are_all_different(rig: Rig) -> None:
    for _ in range(3):
        await rig.call(**AUTHORIZED, **{"Idempotency-Key": " "})
    assert len(rig.recorded()) == 3


async def test_a_long_or_strange_delivery_id_is_one_all_the_same(rig: Rig) -> None:
    for delivery in ("x" * 4000, "x" * 4000, "ü" * 20):
        assert (await rig.call(**AUTHORIZED, **{"Idempotency-Key": delivery})).status == 202
    keys = [event.key for event in rig.recorded()]
    assert len(keys) == 2
    assert all(len(key) < 200 for key in keys)


async def test_no_credential_goes_further(rig: Rig) -> None:
    sent = {
        **AUTHORIZED,
        "Cookie": "c=hidden",
        "X-Hub-Signature-256": "hidden",
        "X-Hub-Signature": "hidden",
        "X-Gitlab-Token": "hidden",
        "Proxy-Authorization": "hidden",
        "Proxy-Anything": "hidden",
        "X-Api-Key": "hidden",
        "X-Client-Secret": "hidden",
        "webhook-signature": "hidden",
        "X-Shown": "Shown",
    }
    assert (await rig.call(**sent)).status == 202
    (event,) = rig.recorded()
    assert event.headers["x-shown"] == "Shown"
    written = wire.encode(event).decode()
    assert "hidden" not in written
    assert SECRET not in written


async def test_an_event_carries_no_more_than_fifty_headers(rig: Rig) -> None:
    many = {f"X-{number}": "y" * 5000 for number in range(80)}
    assert (await rig.call(**AUTHORIZED, **many)).status == 202
    (event,) = rig.recorded()
    assert len(event.headers) == 50
    assert max(map(len, event.headers.values())) == 1000


async def test_a_webhook_that_comes_later_is_noticed_and_one_that_goes_as_well(rig: Rig) -> None:
    rig.publish(hooked("ci", later="/later"))

    await until(lambda: "/hooks/ci/later" in rig.web._hooks)
    assert (await rig.call("/hooks/ci/later")).status == 202
    assert (await rig.call("/hooks/ci/build")).status == 404


async def test_a_body_that_is_announced_first_is_asked_for(rig: Rig) -> None:
    assert rig.client is not None
    async with rig.client.post(rig.web.url + "/hooks/ci", data=b"x", headers=AUTHORIZED, expect100=True) as got:
        assert got.status == 202


# -- refused ----------------------------------------------------------------------------------------------


async def test_wrong_credentials_are_refused(rig: Rig) -> None:
    for headers in ({"X-None": "1"}, {"Authorization": "Bearer wrong"}, {"X-Gitlab-Token": "wrong"}):
        answer = await rig.call(**headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert rig.recorded() == []


@pytest.mark.parametrize(
    "path", ["/", "/hooks", "/hooks/", "/hooks/ci/", "/hooks/ci/buil", "/hooks/nobody/x", "/HOOKS/ci"]
)
async def test_an_unknown_path_looks_like_a_known_one_that_refuses(rig: Rig, path: str) -> None:
    unknown, known = await rig.call(path), await rig.call(Authorization="Bearer wrong")
    assert (unknown.status, unknown.body.keys()) == (404, known.body.keys())


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_is_refused(rig: Rig, method: str) -> None:
    answer = await rig.call(method=method, body=None)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, PUT")
    assert rig.recorded() == []


@pytest.mark.parametrize("skill", ["closed", "empty"])
async def test_without_a_secret_every_call_is_refused_and_the_log_says_so_once(
    rig: Rig, skill: str, caplog: pytest.LogCaptureFixture
) -> None:
    for headers in (AUTHORIZED, {"Authorization": "Bearer "}, {"X-Gitlab-Token": ""}):
        answer = await rig.call(f"/hooks/{skill}/x", **headers)
        assert answer.status == 503
        assert f"[webhooks.{skill}] secret" in answer.body["error"]
    assert caplog.text.count(f"set [webhooks.{skill}] secret") == 1


async def endless(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b"x" * 1024


async def test_a_body_that_is_too_large_is_refused_and_not_read_whole(rig: Rig) -> None:
    assert (await rig.call(body=b"x" * LARGEST)).status == 202
    assert (await rig.call(body=b"x" * (LARGEST + 1))).status == 413
    assert (await rig.call(body=endless(LARGEST + 1024))).status == 413  # without a length
    announced = await rig.raw(b"POST /hooks/ci HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\nx")
    assert announced.startswith(b"HTTP/1.1 413")


async def test_a_body_that_is_too_large_as_json_is_refused(rig: Rig) -> None:
    assert (await rig.call(body=b"\x01" * LARGEST)).status == 413
    assert rig.recorded() == []


async def test_what_is_not_utf_8_is_refused(rig: Rig) -> None:
    assert (await rig.call(body=b"\xff\xfe")).status == 415
    assert (await rig.call(body=b"x", **AUTHORIZED, **{"Content-Encoding": "gzip"})).status == 415
    assert rig.recorded() == []


async def test_while_the_ledger_is_away_callers_are_told_to_come_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO gone")
    answer = await rig.call()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "the ledger cannot be written" in caplog.text
    with rig.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO events")
    assert (await rig.call()).status == 202


async def test_a_ledger_that_does_not_answer_is_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.web.LEDGER", 0.2)
    with rig.engine.begin():  # somebody else has the lock
        assert (await rig.call()).status == 503
    assert (await rig.call()).status == 202


async def test_without_a_broker_a_call_waits_in_the_ledger(tmp_path: Path, namespace: str) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    async with serving(engine, Broker("redis://127.0.0.1:1/0", namespace)) as rig:
        rig.web._publisher._timeout = 0.1  # it does not wait long for the broker at the end
        assert (await rig.call()).status == 202
        assert len(rig.recorded()) == 1
    engine.dispose()


# -- clients as they are ----------------------------------------------------------------------------------


async def test_it_says_that_it_is_alive(rig: Rig) -> None:
    assert (await rig.call("/health", None, "GET")).status == 200
    assert (await rig.call("/health", None, "POST")).status == 405


async def test_a_slow_client_is_not_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.web.BODY", 0.2)
    late = await rig.raw(b"POST /hooks/ci/build HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
    assert late.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("data", [b"", b"POST /hooks/ci HTTP/1.1\r\nHost: x\r\nX-", b"P"])
async def test_a_connection_that_says_nothing_is_ended(rig: Rig, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.web.LIFE", 0.2)
    assert await rig.raw(data) == b""


async def test_more_connections_than_it_can_bear_are_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.web.CONNECTIONS", 1)
    host, port = rig.web.url.removeprefix("http://").split(":")
    _, first = await asyncio.open_connection(host, int(port))
    await until(lambda: rig.web._web and rig.web._web.connections)
    assert await rig.raw(b"") == b""
    first.close()


async def test_a_connection_is_for_one_request(rig: Rig) -> None:
    answered = await rig.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    assert answered.count(b"HTTP/1.1 200") == 1


HEADER = st.one_of(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=10),
).map(lambda text: text.strip().encode("latin-1"))
NAMES = st.sampled_from(
    b"Idempotency-Key Content-Type Authorization webhook-id webhook-timestamp webhook-signature Expect Upgrade Cookie "
    b"Content-Encoding X-Gitlab-Token X-Hub-Signature-256 X-Any".split()
)
PATHS = st.sampled_from(["/hooks/ci/build", "/hooks/ci", "/hooks/closed/x", "/hooks/ci/build?"]).flatmap(
    lambda path: st.text(st.sampled_from("ab/%F0?&=+[]#;:@é\udcff"), max_size=12).map(lambda more: path + more)
)


async def test_whatever_is_sent_it_answers_and_never_with_a_fault_of_its_own(rig: Rig) -> None:
    """The server runs in this loop, the examples in a thread of their own."""
    loop = asyncio.get_running_loop()
    seen: set[int] = set()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(NAMES, HEADER), max_size=6), st.binary(max_size=60), PATHS, st.booleans())
    @example([], b"{}", "/hooks/ci", True)
    @example([], b"{}", "/hooks/ci", False)
    @example([], b"{}", "/hooks/cia", True)
    @example([(b"X-Any", b"\x1f")], b"", "/hooks/ci", True)
    def check(headers: list[tuple[bytes, bytes]], body: bytes, path: str, known: bool) -> None:
        lines = [b"POST %b HTTP/1.1" % path.encode(errors="surrogateescape"), b"Host: x"]
        lines += [b"Content-Length: %d" % len(body), *(b"%b: %b" % header for header in headers)]
        lines += [f"X-Gitlab-Token: {SECRET}".encode()] * known
        answer = asyncio.run_coroutine_threadsafe(rig.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body), loop).result(20)
        status = int(answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").split()[1])
        assert status in (202, 400, 401, 404, 415, 503), answer
        seen.add(status)

    await asyncio.to_thread(check)
    assert {202, 400, 401, 404} <= seen


# -- where it listens -------------------------------------------------------------------------------------


async def test_a_port_that_is_in_use_is_named(rig: Rig) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"\[web\] port {port} is in use"):
            await rig.make(port).__aenter__()


async def test_a_host_that_is_not_here_is_named(rig: Rig) -> None:
    with pytest.raises(SettingsError, match=r"\[web\] host '203\.0\.113\.1'"):
        await rig.make(host="203.0.113.1").__aenter__()


async def test_the_log_says_where_each_webhook_is(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with caplog.at_level(logging.INFO, "dragoman.web"):
        async with rig.make(port) as web:
            assert web.url == f"http://127.0.0.1:{port}"
    assert f"webhook of ci.built: POST http://127.0.0.1:{port}/hooks/ci/build" in caplog.text


async def test_it_stops_while_a_client_is_still_sending(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.web.GRACE", 0.2)
    web = rig.make()
    await web.__aenter__()
    host, port = web.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /hooks/ci HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    await asyncio.wait_for(web.__aexit__(None, None, None), 8)
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 8)
    writer.close()
