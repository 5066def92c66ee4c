"""A store on each of the two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dragoman.store.engine import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; nothing has opened it yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return f"postgresql{request.getfixturevalue('postgres').database()}"


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    """A store at the newest schema."""
    engine = open_store(store_url)
    yield engine
    engine.dispose()
