"""The demo that `make demo` runs ends by itself and shows a conversation."""

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo" / "demo.py"


def test_the_demo_shows_a_conversation_and_ends() -> None:
    shown = subprocess.run(
        [sys.executable, str(DEMO)],
        env={**os.environ, "ONCE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Did you mean `roll`?" in shown.stdout
    assert shown.stdout.count("🎲") >= 5
    assert "demo.skill.dice:" in shown.stdout  # which queue served it
    assert "ms in all" in shown.stdout
