"""What operators type while a bot runs."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from dragoman.cli import cli
from support.servers import wait_until

__all__ = ["operate", "queue", "until_queue"]


def operate(config: Path, *words: str, typed: str = "") -> str:
    """Run a ``dragoman`` command; what it says."""
    result = CliRunner().invoke(cli, ["--config", str(config), *words], input=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def queue(config: Path, name: str, kind: str = "skill") -> dict[str, Any]:
    """The row of ``dragoman queues --json`` of that name."""
    found: list[dict[str, Any]] = json.loads(operate(config, "queues", "--json"))
    return next(row for row in found if (row["kind"], row["name"]) == (kind, name))


def until_queue(config: Path, name: str, timeout: float = 20.0, **wanted: Any) -> None:
    """Until a skill's row is so."""
    row: dict[str, Any] = {}

    def as_wanted() -> bool:
        row.update(queue(config, name))
        return {key: row[key] for key in wanted} == wanted

    try:
        wait_until(as_wanted, timeout)
    except AssertionError:
        raise AssertionError(f"waited {timeout} s for {wanted}, and it is {row}") from None
