"""Which addresses are Slack's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_slack.hosts import file_address, reply_address, upload_address

API = "https://slack.com/api/"
LOCAL = "http://127.0.0.1:8055/api/"

HOSTILE = [
    "",
    "http://files.slack.com/files-pri/T1-F1/a",
    "ftp://files.slack.com/a",
    "file:///etc/passwd",
    "//files.slack.com/a",
    "files.slack.com/a",
    "https:///a",
    "https://files.slack.com:8443/a",
    "https://files.slack.com:x/a",
    "https://files.slack.com./a",
    "https://files.slack.com.evil.example/a",
    "https://evil.example/files.slack.com",
    "https://evil.example#.slack.com/",
    "https://evil.example?@files.slack.com/",
    "https://files.slack.com@evil.example/a",
    "https://evil.example@files.slack.com/a",
    "https://:x@files.slack.com/a",
    "https://files.slack.com\\@evil.example/a",
    "https://evil.example\\.slack.com/a",
    "https://files.slack.com /a",
    "https://files.slack.com/a\nHost: evil.example",
    "https://xfiles.slack.com/a",
    "https://filesxslack.com/a",
    "https://127.0.0.1/a",
    "https://[::1]/a",
    "http://169.254.169.254/latest/meta-data",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_no_other_address_gets_the_token(url: str) -> None:
    assert file_address(url, API) is None
    assert file_address(url, LOCAL) is None
    assert reply_address(url, API) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com/files-pri/T1-F1/download/a%20b.png",
        "https://FILES.slack.com:443/files-pri/T1-F1/a.png",
        "https://slack.com/files-pri/T1-F1/1.png",
    ],
)
def test_slacks_own_files_are_fetched(url: str) -> None:
    assert file_address(url, API) is not None
    assert file_address(url, LOCAL) is not None
    assert reply_address(url, "https://api.example/") is None


def test_answers_go_to_hooks_only() -> None:
    hook = "https://hooks.slack.com/commands/1/2/3"
    assert str(reply_address(hook, API)) == hook
    assert file_address(hook, API) is None


def test_what_api_url_names_counts_with_its_scheme_and_port() -> None:
    assert file_address("http://127.0.0.1:8055/files-pri/T1-F1/a", LOCAL) is not None
    assert reply_address("http://127.0.0.1:8055/commands/T1/x", LOCAL) is not None
    assert file_address("http://127.0.0.1:8056/files-pri/T1-F1/a", LOCAL) is None
    assert file_address("https://127.0.0.1:8055/files-pri/T1-F1/a", LOCAL) is None
    gov = "https://slack-gov.com/api/"
    assert file_address("https://files.slack-gov.com/a", gov) is not None
    assert reply_address("https://hooks.slack-gov.com/a", gov) is not None
    assert file_address("https://files.slack-gov.com/a", API) is None


def test_bytes_go_over_tls_only() -> None:
    assert upload_address("https://anywhere.example/upload", API) is not None
    assert upload_address("http://127.0.0.1:8055/upload/v1/x", LOCAL) is not None
    for url in (
        "https://10.0.0.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://localhost/",
        "https://2130706433/",
    ):
        assert upload_address(url, API) is None
    for url in ("http://files.slack.com/upload", "https://a@b.example/", "ftp://x.example/", "", "upload"):
        assert upload_address(url, API) is None


@given(st.text() | st.text().map("https://{}".format) | st.text().map("https://files.slack.com{}".format))
def test_whatever_is_taken_goes_to_a_known_host_over_tls(url: str) -> None:
    found = file_address(url, API)
    assert found is None or (found.scheme, found.port, found.user) == ("https", 443, None)
    assert found is None or found.host in ("slack.com", "files.slack.com")
