"""What a caller of a webhook shows, held against the platforms' own published examples."""

import base64
import hmac

import pytest
from multidict import CIMultiDict

from dragoman.credentials import TOLERANCE, accepted

SECRET, BODY, NOW = "It's a Secret to Everybody", b"Hello, World!", 1_700_000_000.0
#: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
GITHUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def right(headers: dict[str, str], body: bytes = BODY, secret: str = SECRET, now: float = NOW) -> bool:
    return accepted(CIMultiDict(headers), body, secret, now)


def signed(secret: bytes = SECRET.encode(), at: float = NOW) -> dict[str, str]:
    stamp = f"{at:.0f}"
    digest = hmac.digest(secret, b"msg_1." + stamp.encode() + b"." + BODY, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": stamp, "Webhook-Signature": signature}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer  {SECRET}"},
        {"X-Hub-Signature-256": GITHUB},
        {"X-Gitlab-Token": SECRET},
        signed(),
        signed(at=NOW - TOLERANCE + 1),
        {**signed(), "Webhook-Signature": f"v1,AAAA {signed()['Webhook-Signature']}"},
        {"X-Gitlab-Token": "wrong", "Authorization": f"Bearer {SECRET}"},
    ],
    ids=str,
)
def test_what_shows_that_one_knows_the_secret(headers: dict[str, str]) -> None:
    assert right(headers)
    assert not right(headers, secret="another")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wröng\udcff"},
        {"X-Gitlab-Token": ""},
        {"X-Gitlab-Token": SECRET.lower()},
        {"X-Hub-Signature-256": GITHUB.removeprefix("sha256=")},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature": GITHUB},
        signed(b"another"),
        signed(at=NOW - TOLERANCE - 1),
        signed(at=NOW + TOLERANCE + 1),
        {**signed(), "Webhook-Id": "msg_2"},
        {**signed(), "Webhook-Timestamp": "9" * 5000},
        {**signed(), "Webhook-Timestamp": "²"},
        {**signed(), "Webhook-Signature": ""},
    ],
    ids=lambda headers: str(headers)[:80],
)
def test_what_does_not(headers: dict[str, str]) -> None:
    assert not right(headers)


def test_a_signature_is_of_the_body() -> None:
    assert not right({"X-Hub-Signature-256": GITHUB}, b"Hello, World?")
    assert not right(signed(), b"Hello, World?")


def test_a_standard_secret_is_in_base64() -> None:
    key = b"0123456789abcdef01234567"
    secret = f"whsec_{base64.b64encode(key).decode()}"
    assert right(signed(key), secret=secret)
    assert not right(signed(), secret=secret)
    assert not right(signed(), secret="whsec_!")
