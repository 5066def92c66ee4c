"""The skill as people meet it: no broker, no token, and a service of the test's own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from dragoman import Skill
from dragoman.testing import Bot

from dragoman_weather import WeatherSettings, skill

ANSWERS = {
    "Berlin": (200, {"celsius": 21.5, "sky": "clear"}),
    "New York": (200, {"celsius": -3, "sky": "snowy"}),
    "Babel": (500, {}),
    "Laputa": (200, {"celsius": "up there"}),
}


class Service(BaseHTTPRequestHandler):
    """Answers what `ANSWERS` says."""

    def do_GET(self) -> None:
        (city,) = parse_qs(urlsplit(self.path).query)["city"]
        status, body = ANSWERS.get(city, (404, {}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def skills() -> list[Skill]:
    """What the fixture ``bot`` runs."""
    return [skill]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service, named in the settings. A test asks for it before ``bot``, which reads them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        monkeypatch.setenv("DRAGOMAN_SKILLS__WEATHER__URL", f"http://127.0.0.1:{server.server_port}/weather")
        yield
        server.shutdown()
        thread.join()


def test_without_a_service_it_is_made_up_and_says_so(bot: Bot) -> None:
    bot.say("weather Berlin", by="bo")
    bot.say("weather BERLIN", by="bo")
    first, second = bot.replies
    assert "(made up: " in first.text
    assert first.text.partition(":")[2] == second.text.partition(":")[2]


@pytest.mark.usefixtures("service")
class TestWithAService:
    @pytest.mark.parametrize(
        ("said", "answer"),
        [
            ("weather Berlin", "Berlin: **22 °C**, clear"),
            ("weather New York", "New York: **-3 °C**, snowy"),
            ("weather Atlantis", "I know no weather for Atlantis. Is it spelt right?"),
        ],
    )
    def test_it_answers(self, bot: Bot, said: str, answer: str) -> None:
        bot.say(said, by="bo")
        assert [reply.text for reply in bot.replies] == [answer]

    def test_it_answers_who_wonders(self, bot: Bot) -> None:
        bot.say("is it cold in Berlin?", by="bo", to_bot=False)
        assert "22 °C" in bot.replies[-1].text

    @pytest.mark.parametrize(("city", "error"), [("Babel", aiohttp.ClientError), ("Laputa", ValueError)])
    def test_a_service_that_is_broken_is_asked_again(self, bot: Bot, city: str, error: type[Exception]) -> None:
        with bot.fails_with(error) as failed:
            bot.say(f"weather {city}", by="bo")
        assert failed.attempts == 3
        assert "reference" in bot.replies[-1].text


def test_a_city_is_asked_for(bot: Bot) -> None:
    bot.say("weather", by="bo")
    assert "Usage: `weather <city>`" in bot.replies[-1].text


def test_a_misspelt_setting_is_an_error() -> None:
    with pytest.raises(ValueError, match="urll"):
        WeatherSettings.model_validate({"urll": "http://127.0.0.1"})
