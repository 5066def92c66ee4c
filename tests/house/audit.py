"""``python tests/house/audit.py``: known vulnerabilities of what constraints.txt pins, by pip-audit.

Where it cannot be asked (offline, or a mirror without advisories) it says so in a line and is no failure.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

__all__ = ["audit", "judged"]

CONSTRAINTS: Final = Path(__file__).parents[2] / "constraints.txt"
#: Seconds.
PATIENCE: Final = 120
#: Advisory -> why it does not concern us.
ACCEPTED: Final[dict[str, str]] = {}


def audit() -> int:
    """Print what is known; the exit status."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--no-deps",
        "--disable-pip",
        "--progress-spinner=off",
        "--timeout=15",
    ]
    try:
        done = subprocess.run(
            [*command, "--format=json", "--requirement", str(CONSTRAINTS)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"pip-audit: skipped, it did not run ({type(error).__name__})")
        return 0
    try:
        report = json.loads(done.stdout)
    except ValueError:
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"pip-audit: skipped, the advisories cannot be had ({why[:200]})")
        return 0
    status, lines = judged(report)
    print("\n".join(lines))
    return status


def judged(report: dict[str, Any]) -> tuple[int, list[str]]:
    """The exit status for pip-audit's report as JSON, and what to say."""
    packages = report.get("dependencies", [])
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        return 0, ["pip-audit: skipped, nobody here knows of advisories for any of the packages"]
    bad = [
        f"{package['name']} {package['version']}: {found['id']}, fixed in "
        f"{', '.join(found.get('fix_versions') or []) or 'no version yet'}"
        for package in asked
        for found in package.get("vulns", [])
        if not {found["id"], *found.get("aliases", [])} & ACCEPTED.keys()
    ]
    return (1 if bad else 0), [
        *bad,
        f"pip-audit: {len(bad)} vulnerable of {len(asked)} asked for, {len(packages)} in all",
    ]


if __name__ == "__main__":
    sys.exit(audit())
