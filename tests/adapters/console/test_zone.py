"""The time zone of this machine."""

from pathlib import Path

import pytest

from dragoman_console.zone import local_zone


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A link such as ``/etc/localtime``, to Berlin's time."""
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Berlin").touch()
    link = tmp_path / "localtime"
    link.symlink_to(tmp_path / "zoneinfo" / "Europe" / "Berlin")
    return link


def test_it_is_what_the_clock_is_linked_to(clock: Path) -> None:
    assert local_zone(clock) == "Europe/Berlin"


@pytest.mark.parametrize("value", ["Asia/Tokyo", ":Asia/Tokyo"])
def test_the_environment_goes_first(clock: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TZ", value)
    assert local_zone(clock) == "Asia/Tokyo"


@pytest.mark.parametrize("value", ["", "CST6CDT,M3.2.0,M11.1.0", "/etc/localtime"])
def test_what_names_no_zone_is_passed_over(clock: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TZ", value)
    assert local_zone(clock) == "Europe/Berlin"


def test_a_clock_without_a_name_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "localtime").touch()
    assert local_zone(tmp_path / "localtime") is None
