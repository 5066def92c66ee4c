"""How a program that calls a webhook shows that it knows the secret. Pure; every comparison takes the same time.

Any one of these is enough:

* ``Authorization: Bearer SECRET`` (RFC 6750, section 2.1).
* ``X-Hub-Signature-256: sha256=...``, the HMAC of the body in hex:
  https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
* ``X-Gitlab-Token: SECRET``: https://docs.gitlab.com/user/project/integrations/webhooks/
* ``webhook-signature: v1,...``, the HMAC of id, time and body in base64; the secret may be ``whsec_`` and base64:
  https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final

__all__ = ["accepted"]

#: Seconds that the time in a signature may differ from ours.
TOLERANCE: Final = 300.0


def accepted(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Whether one of the credentials in the headers is right.

    Args:
        headers: case-insensitive, as aiohttp's.
        body: as it was received.
        now: unix seconds.
    """
    key = secret.encode()
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer" and _same(token.strip(), key)
    gitlab = _same(headers.get("X-Gitlab-Token", ""), key)
    digest = hmac.new(key, body, "sha256").hexdigest()
    github = _same(headers.get("X-Hub-Signature-256", ""), f"sha256={digest}".encode())
    return bearer or gitlab or github or _standard(headers, body, secret, now)


def _standard(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    identity, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    # Ten digits are enough until the year 2286.
    if not identity or not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 10):
        return False
    if abs(now - int(sent_at)) > TOLERANCE:
        return False
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            return False
    signed = b".".join((_bytes(identity), sent_at.encode(), body))
    wanted = b"v1," + base64.b64encode(hmac.new(key, signed, "sha256").digest())
    # While a secret is being replaced there are two signatures.
    return any(_same(each, wanted) for each in headers.get("webhook-signature", "").split(" ")[:10])


def _same(given: str, wanted: bytes) -> bool:
    return hmac.compare_digest(_bytes(given), wanted)


def _bytes(text: str) -> bytes:
    # aiohttp reads what is not UTF-8 as lone surrogates.
    return text.encode(errors="surrogatepass")
