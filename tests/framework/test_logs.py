"""What a line of the log holds."""

import json
import logging
from collections.abc import Iterator

import pytest

from dragoman import logs, redaction
from dragoman.trace import within_trace

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_an_object_that_says_when_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("gateway", "info", "json")
    logging.getLogger("dragoman.outbox").warning('it "says" %s\nin two lines', "something")
    (line,) = lines(capsys)
    assert line["message"] == 'it "says" something\nin two lines'
    assert (line["level"], line["logger"]) == ("warning", "dragoman.outbox")
    assert line["process"].startswith("gateway/")
    assert line["time"].endswith("+00:00")
    assert "trace" not in line


def test_an_error_comes_with_its_traceback_on_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("worker", "info", "json")
    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        logging.getLogger("skills.dice").exception("failed")
    (line,) = lines(capsys)
    assert "RuntimeError: it broke" in line["error"]
    assert "Traceback" in line["error"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_handler_logs_carries_the_trace(form: logs.Form, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("worker", "info", form)
    with within_trace(f"00-{TRACE}-b7ad6b7169203331-01"):
        logging.getLogger("skills.dice").info("rolled")
    logging.getLogger("skills.dice").info("later")
    during, after = capsys.readouterr().err.splitlines()
    assert TRACE in during
    assert TRACE not in after


def test_a_secret_is_taken_out_and_the_line_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("gateway", "info", "json")
    redaction.register("hunter-two-and-more")
    logging.getLogger("dragoman").info("the password is %s", "hunter-two-and-more")
    logging.getLogger("dragoman").info("Authorization: Bearer abcdefghijklmnop")
    first, second = lines(capsys)
    assert "hunter" not in first["message"]
    assert "abcdefghijklmnop" not in second["message"]
