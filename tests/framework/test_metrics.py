"""What a process counts."""

from dragoman.metrics import MOST, Metrics
from support.samples import EVENTS, send


def test_an_event_is_counted_by_account_kind_and_outcome() -> None:
    metrics = Metrics()
    metrics.count_event(EVENTS["message"], "received")
    metrics.count_event(EVENTS["message"], "received")
    metrics.count_event(EVENTS["message"], "duplicate")
    counted = metrics.value("dragoman_events_total", account="acme", kind="message", outcome="received")
    assert counted == 2
    assert b'dragoman_events_total{account="acme",kind="message",outcome="duplicate"} 1.0' in metrics.text()


def test_two_in_one_process_know_nothing_of_each_other() -> None:
    first, second = Metrics(), Metrics()
    first.count_run("dice", "done")
    assert second.value("dragoman_runs_total", skill="dice", outcome="done") == 0


def test_a_label_with_too_many_values_is_counted_as_other() -> None:
    metrics = Metrics()
    for number in range(MOST + 3):
        metrics.count_run(f"skill-{number}", "done")
    assert metrics.value("dragoman_runs_total", skill="other", outcome="done") == 3


def test_an_answer_is_timed_from_the_gateway_and_nothing_else_is() -> None:
    metrics = Metrics()
    metrics.observe_answer("acme", (("gateway", 100.0), ("router", 101.0), ("sent", 102.5)))
    metrics.observe_answer("acme", (("worker", 1.0), ("sent", 500.0)))
    metrics.observe_answer("acme", ())
    assert metrics.value("dragoman_answer_seconds_sum", account="acme") == 2.5
    assert metrics.value("dragoman_answer_seconds_count", account="acme") == 1


def test_no_person_and_no_channel_is_in_it() -> None:
    metrics = Metrics()
    for event in EVENTS.values():
        metrics.count_event(event, "received")
        metrics.count_routed(event, "routed")
    metrics.count_action(send("hello"), "sent")
    text = metrics.text().decode()
    for secret in ("U1", "Ann", "C2", "T1", "hello"):
        assert f'"{secret}"' not in text


def test_the_broker_is_asked_when_somebody_looks() -> None:
    metrics, connected = Metrics(), [True]
    metrics.watch_broker(lambda: connected[0])
    assert metrics.value("dragoman_broker_connected") == 1
    connected[0] = False
    assert metrics.value("dragoman_broker_connected") == 0
