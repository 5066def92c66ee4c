"""What `make check` makes of pip-audit's report."""

import subprocess
import sys
from pathlib import Path

import pytest

from house import audit

GOOD = {"name": "kombu", "version": "5.7.0", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "vine", "skip_reason": "not found"}


def test_a_vulnerability_is_a_failure_that_says_what_to_install() -> None:
    status, lines = audit.judged({"dependencies": [GOOD, BAD, UNKNOWN]})
    assert status == 1
    assert lines == ["old 1.0: PYSEC-1, fixed in 1.1", "pip-audit: 1 vulnerable of 2 asked for, 3 in all"]


def test_what_is_accepted_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit.ACCEPTED, "CVE-1", "we do not use it")
    assert audit.judged({"dependencies": [BAD]})[0] == 0


def test_nobody_knowing_anything_is_skipped_and_not_called_good() -> None:
    status, lines = audit.judged({"dependencies": [UNKNOWN]})
    assert status == 0
    assert lines == ["pip-audit: skipped, nobody here knows of advisories for any of the packages"]


def test_where_it_cannot_run_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def offline(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess([sys.executable], 1, "", "first\nno route to host")

    monkeypatch.setattr(subprocess, "run", offline)
    assert audit.audit() == 0
    assert capsys.readouterr().out == "pip-audit: skipped, the advisories cannot be had (no route to host)\n"
