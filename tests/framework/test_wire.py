"""The codec: what is encoded comes back, and no bytes can do more than raise a WireError."""

import json
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import Action, Event, WireError, wire
from support.samples import ACTIONS, EVENTS, actions, events


def kinds(union: Any) -> set[str]:
    """The kinds of a discriminated union."""
    return {member.model_fields["kind"].default for member in get_args(get_args(union)[0])}


def test_the_samples_have_every_kind() -> None:
    assert kinds(Event) == EVENTS.keys() == events.keys()
    assert kinds(Action) == ACTIONS.keys() == actions.keys()


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_any_event_comes_back_as_it_was(kind: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(events[kind])
    def check(event: Event) -> None:
        assert wire.decode_event(wire.encode(event)) == event
        assert wire.decode_event(wire.encode(event).decode()) == event

    check()


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_any_action_comes_back_as_it_was(kind: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(actions[kind])
    def check(action: Action) -> None:
        assert wire.decode_action(wire.encode(action)) == action

    check()


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_a_newer_sender_may_add_fields_to_an_event_anywhere(kind: str) -> None:
    data = json.loads(wire.encode(EVENTS[kind]))
    data["mood"] = {"happy": [True]}
    data["address"]["planet"] = "earth"
    data["person"]["shoe_size"] = 43
    assert wire.decode_event(json.dumps(data)) == EVENTS[kind]


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_a_newer_sender_may_add_fields_to_an_action_anywhere(kind: str) -> None:
    data = json.loads(wire.encode(ACTIONS[kind])) | {"urgency": None}
    data["address"]["planet"] = "earth"
    assert wire.decode_action(json.dumps(data)) == ACTIONS[kind]


def changed(sample: str, /, **changes: Any) -> str:
    return json.dumps(json.loads(wire.encode(EVENTS[sample])) | changes)


def test_an_unknown_event_kind_is_told_apart_and_named() -> None:
    with pytest.raises(wire.UnknownKind, match="'huddle_started'") as caught:
        wire.decode_event(changed("message", kind="huddle_started"))
    assert (caught.value.kind, caught.value.reason) == ("huddle_started", "kind")


def test_an_unknown_action_kind_is_told_apart_and_named() -> None:
    data = json.loads(wire.encode(ACTIONS["send"])) | {"kind": "sing"}
    with pytest.raises(wire.UnknownKind) as caught:
        wire.decode_action(json.dumps(data))
    assert caught.value.kind == "sing"


@pytest.mark.parametrize("kind", [5, None, [], {}, True])
def test_a_kind_that_is_no_text_is_broken_and_not_from_the_future(kind: object) -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_event(changed("message", kind=kind))
    assert (type(caught.value), caught.value.reason) == (WireError, "shape")


@pytest.mark.parametrize("version", [2, 0, -1, "1", None, 1.5, [1]])
def test_another_version_is_refused_and_says_which_are_known(version: object) -> None:
    with pytest.raises(WireError, match="this reader knows 1") as caught:
        wire.decode_event(changed("message", v=version))
    assert caught.value.reason == "version"


def test_another_version_is_refused_even_if_its_kind_is_unknown() -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_event(changed("message", v=2, kind="huddle"))
    assert caught.value.reason == "version"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json"),
        (b"\xff\xfe", "json"),
        ('{"v": 1}'.encode("utf-16"), "json"),
        (b'{"v": 1', "json"),
        (b"[" * 100_000, "json"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "json"),
        ("\ud800", "json"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "shape"),
        (b"[]", "shape"),
        (b"null", "shape"),
        (b"7", "shape"),
        (b"{}", "shape"),
        (b'{"kind": "message"}', "shape"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason_to_count(body: bytes | str, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_event(body)
    if body.startswith(b'{"n"') if isinstance(body, bytes) else False:
        assert caught.value.reason in ("shape", "json")  # Python's own reader may refuse so long a number
    else:
        assert caught.value.reason == reason


def test_a_refusal_names_the_place_but_does_not_repeat_what_stood_there() -> None:
    with pytest.raises(WireError, match=r"address\.channel") as caught:
        wire.decode_event(changed("message", address={"account": "a", "tenant": "t", "channel": ["xoxb-secret"]}))
    assert "secret" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_wire_error_with_a_reason(body: bytes) -> None:
    for decode in (wire.decode_event, wire.decode_action):
        with pytest.raises(WireError) as caught:
            decode(body)
        assert caught.value.reason in {"json", "version", "kind", "shape", "size"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(
        st.sampled_from(["v", "kind", "key", "address", "person", "id", "content", "hops", "occurred"]), json_values
    ),
)
def test_an_event_with_anything_in_its_fields_is_an_event_or_a_wire_error(kind: str, changes: dict[str, Any]) -> None:
    body = changed(kind, **changes)
    try:
        event = wire.decode_event(body)
    except WireError:
        return
    assert wire.decode_event(wire.encode(event)) == event


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_time_that_is_no_number_does_not_get_in_since_it_would_not_come_out_again(number: str) -> None:
    body = changed("message", occurred=17.5).replace("17.5", number)
    with pytest.raises(WireError):
        wire.decode_event(body)


def test_a_key_with_a_nul_does_not_get_in_since_no_store_takes_it() -> None:
    with pytest.raises(WireError, match="key"):
        wire.decode_event(changed("message", key="a\0b"))


def test_an_ordinal_that_no_store_takes_does_not_get_in() -> None:
    data = json.loads(wire.encode(ACTIONS["send"])) | {"ordinal": 2**31}
    with pytest.raises(WireError, match="ordinal"):
        wire.decode_action(json.dumps(data))


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_event(b"x" * (wire.MAX_BYTES + 1))
    assert caught.value.reason == "size"


def test_the_largest_message_is_still_read() -> None:
    body = changed("message", padding="")
    full = changed("message", padding="x" * (wire.MAX_BYTES - len(body)))
    assert len(full) == wire.MAX_BYTES
    assert wire.decode_event(full) == EVENTS["message"]


def test_a_target_is_an_id_or_a_key_and_not_both() -> None:
    data = json.loads(wire.encode(ACTIONS["delete"]))
    for target in ({}, {"id": "1", "key": "2"}):
        with pytest.raises(WireError, match="target"):
            wire.decode_action(json.dumps(data | {"target": target}))


def test_the_schema_is_json_schema_and_the_samples_fit_it() -> None:
    schema = wire.schema()
    for part, samples in (("event", EVENTS), ("action", ACTIONS)):
        jsonschema.Draft202012Validator.check_schema(schema[part])
        validator = jsonschema.Draft202012Validator(schema[part])
        for sample in samples.values():
            validator.validate(json.loads(wire.encode(sample)))


def test_the_schema_refuses_what_the_codec_refuses() -> None:
    validator = jsonschema.Draft202012Validator(wire.schema()["event"])
    assert not validator.is_valid({"kind": "message"})
    assert not validator.is_valid(json.loads(changed("message", v=2)))
