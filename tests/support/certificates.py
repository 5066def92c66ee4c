"""Certificates of an authority that lasts as long as a test, and a server that speaks TLS for one that does not."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """PEM files: of the authority, of another one, of the server ``localhost``, and of a client with its key."""

    ca: Path
    stranger: Path
    server: Path
    server_key: Path
    client: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        """Write them into ``folder``."""
        authority, stranger = trustme.CA(), trustme.CA()
        found = cls(*(folder / f"{name}.pem" for name in ("ca", "stranger", "server", "server-key", "client")))
        authority.cert_pem.write_to_path(found.ca)
        stranger.cert_pem.write_to_path(found.stranger)
        issued = authority.issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(found.server)
        issued.private_key_pem.write_to_path(found.server_key)
        authority.issue_cert("bot@localhost").private_key_and_cert_chain_pem.write_to_path(found.client)
        return found


@contextlib.contextmanager
def tls_before(server: str, certificates: Certificates, *, wants_client: bool = False) -> Iterator[int]:
    """The port of a server with TLS that hands all on to a Unix socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca)
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def start(function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)  # type: ignore[arg-type]
        threads.append(thread)
        thread.start()

    def serve(plain: socket.socket) -> None:
        try:
            outside = context.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            return
        inside = socket.socket(socket.AF_UNIX)
        sockets.extend((outside, inside))
        inside.connect(server)
        start(pump, inside, outside)
        pump(outside, inside)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                start(serve, listener.accept()[0])

    listener = socket.create_server(("127.0.0.1", 0))
    start(accept)
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
        for each in (listener, *sockets):
            each.close()
