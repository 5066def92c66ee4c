"""TLS to the broker: which certificates are believed, and which is shown.

Without settings, an ``amqps://`` or ``rediss://`` broker is verified with the authorities that the machine trusts, name
included. TLS 1.2 is the least (Python's default).
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .errors import SettingsError

__all__ = ["SCHEMES", "Tls", "explained"]

#: Of addresses with TLS.
SCHEMES: Final = frozenset({"amqps", "rediss", "valkeys"})


@dataclass(frozen=True, slots=True)
class Tls:
    """``[broker] ca_file``, ``cert_file``, ``key_file`` and ``verify``.

    Attributes:
        ca_file: PEM with the certificates of the authorities to believe, instead of the machine's own.
        cert_file: PEM with our own certificate, for a broker that asks for one.
        key_file: PEM with its key, without a passphrase; left out, it is in ``cert_file``.
        verify: whether the broker has to prove who it is. Without it, anybody on the way can read and change all.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True

    @property
    def given(self) -> str:
        """The first of its settings that is not the default; empty if none is."""
        for name in ("ca_file", "cert_file", "key_file"):
            if getattr(self, name) is not None:
                return name
        return "" if self.verify else "verify"

    def load(self) -> None:
        """Try the files.

        Raises:
            SettingsError: one cannot be read, or is not what it should be; it says which.
        """
        context = ssl.create_default_context()
        if self.key_file is not None and self.cert_file is None:
            raise SettingsError("[broker] key_file is set and cert_file is not: name the certificate of this key")
        for name in ("ca_file", "cert_file", "key_file"):
            file = getattr(self, name)
            if file is None:
                continue
            try:
                file.read_bytes()
            except OSError as error:
                raise SettingsError(f"[broker] {name} {file} cannot be read: {error.strerror or error}") from None
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except (ssl.SSLError, OSError) as error:
                raise _unfit("ca_file", self.ca_file, "certificates of authorities in PEM", error) from None
        if self.cert_file is not None:
            try:
                # Asked for a passphrase, OpenSSL would wait for somebody at the terminal.
                context.load_cert_chain(self.cert_file, self.key_file, password=lambda: "")
            except (ssl.SSLError, OSError, ValueError) as error:
                name = "cert_file" if self.key_file is None else "key_file"
                wanted = "a certificate in PEM and its key, without a passphrase"
                if self.key_file is not None:
                    wanted = f"the key in PEM, without a passphrase, of the certificate in cert_file {self.cert_file}"
                raise _unfit(name, self.key_file or self.cert_file, wanted, error) from None

    def options(self, family: str, host: str) -> dict[str, Any]:
        """For kombu's ``ssl`` and Celery's ``broker_use_ssl``: a new one each time, since kombu adds to it."""
        ca, cert, key = (str(file) if file else None for file in (self.ca_file, self.cert_file, self.key_file))
        if family == "redis":
            return {
                "ssl_cert_reqs": "required" if self.verify else "none",
                "ssl_check_hostname": self.verify,
                **({"ssl_ca_certs": ca} if ca else {}),
                **({"ssl_certfile": cert, "ssl_keyfile": key or cert} if cert else {}),
            }
        found: dict[str, Any] = {
            **({"ca_certs": ca} if ca else {}),
            **({"certfile": cert, "keyfile": key or cert} if cert else {}),
        }
        # kombu would say 127.0.0.1 for localhost. The name is verified where there is one.
        return {**found, "server_hostname": host} if self.verify else {**found, "cert_reqs": ssl.CERT_NONE}


def explained(error: BaseException | None) -> str:
    """What went wrong with TLS, and what to do about it; empty if the error has another cause."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not believed ({error.verify_message.rstrip('.')}): name the certificate of the "
                "authority that signed it in [broker] ca_file, and use the name in [broker] url that it was made for"
            )
        if isinstance(error, ssl.SSLError):
            if "CERTIFICATE" in f"{error.reason or ''} {error}".upper():
                return f"the broker does not take our certificate ({error}): see [broker] cert_file and key_file"
            return f"TLS fails ({error}): is this its port for TLS, and does it want our [broker] cert_file?"
        error = error.__cause__ or error.__context__
    return ""


def _unfit(name: str, file: Path, wanted: str, error: Exception) -> SettingsError:
    return SettingsError(f"[broker] {name} {file} is not {wanted}: {error}")
