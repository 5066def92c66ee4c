"""The demo that `make demo` runs ends by itself and shows a conversation."""

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo" / "demo.py"


def test_the_demo_shows_a_conversation_and_ends() -> None:
    shown = subprocess.run(
        [sys.executable, str(DEMO)],
        env={**os.environ, "ONCE": "1", "COLUMNS": "110"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    # Two transcripts, side by side, with the same answers.
    halves = list(zip(*((line[:55], line[55:]) for line in shown.stdout.splitlines()), strict=True))
    for half in map("\n".join, halves):
        assert half.count("🎲") == 5
        assert "Did you mean `roll`?" in half
        assert "(in a thread)" in half
        assert "2* (edited)" in half.replace("**", "*")
    assert "Slack, #general" in "\n".join(halves[0])
    assert "Discord, #general" in "\n".join(halves[1])
    assert "/roll dice:2d6 times:2" in "\n".join(halves[1])
    assert "demo.skill.dice," in shown.stdout  # which queue served it
    assert "ms in all" in shown.stdout
