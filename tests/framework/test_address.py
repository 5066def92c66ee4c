"""The short form of an address: any platform's ids in, the same ids out."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dragoman import Address, AddressError
from support.samples import HERE, addresses


@settings(max_examples=200, deadline=None)
@given(addresses)
def test_any_address_comes_back_from_its_short_form(address: Address) -> None:
    assert Address.parse(str(address)) == address


@settings(max_examples=200, deadline=None)
@given(addresses)
def test_the_short_form_fits_into_one_ascii_word(address: Address) -> None:
    assert str(address).isascii()
    assert len(str(address).split()) == 1


@settings(max_examples=100, deadline=None)
@given(addresses, addresses)
def test_two_addresses_never_share_a_short_form(one: Address, other: Address) -> None:
    assert (str(one) == str(other)) == (one == other)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text().map("1:{}".format))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    with contextlib.suppress(AddressError):
        address = Address.parse(text)
        assert Address.parse(str(address)) == address


def test_the_short_form_is_readable_where_the_ids_are() -> None:
    assert str(HERE) == "1:acme/T1/C2/1700000000.000100"
    assert str(HERE.in_thread(None)) == "1:acme/T1/C2"


def test_an_id_with_a_slash_and_a_percent_sign_does_not_break_the_address() -> None:
    address = Address(account="acme", tenant="a/b", channel="100%", thread="ü:é")
    assert str(address) == "1:acme/a%2Fb/100%25/%C3%BC%3A%C3%A9"
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "should start with '1:'"),
        ("acme/T1/C2", "should start with '1:'"),
        ("2:acme/T1/C2", "should start with '1:'"),
        ("1:acme/T1", "1:account/tenant/channel[/thread]"),
        ("1:acme/T1/C2/t/more", "1:account/tenant/channel[/thread]"),
        ("1:acme//C2", "1:account/tenant/channel[/thread]"),
        ("1:acme/T1/C2/", "1:account/tenant/channel[/thread]"),
        ("1:Acme.Corp/T1/C2", "account"),
        ("1:acme/T1/" + "x" * 257, "channel"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse(text)
    assert why in str(caught.value)


def test_an_address_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Address.parse("nowhere")


@pytest.mark.parametrize("account", ["", "a.b", "a*", "a#", "A", "-a", "a\n", "a" * 64])
def test_an_account_is_one_word_of_a_routing_key(account: str) -> None:
    with pytest.raises(ValidationError):
        Address(account=account, tenant="T", channel="C")


def test_an_address_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        HERE.channel = "other"  # type: ignore[misc]  # it is frozen, as the test shows
