"""What `dragoman schema` prints is JSON Schema, and what Dragoman sends is valid by it."""

import json

import jsonschema
from click.testing import CliRunner

from dragoman import Address, Content, Message, Send, wire
from dragoman.cli import cli

HERE = Address(account="acme", tenant="T1", channel="C1")


def test_it_describes_what_is_sent() -> None:
    done = CliRunner().invoke(cli, ["schema"])
    assert done.exit_code == 0
    schema = json.loads(done.output)
    assert schema == wire.schema()
    event = Message(key="k", address=HERE, conversation="channel", id="1", content=Content(text="hello"))
    action = Send(key="k|x.y|0", address=HERE, content=Content(text="hello"))
    for name, model in (("event", event), ("action", action)):
        jsonschema.Draft202012Validator.check_schema(schema[name])
        jsonschema.validate(json.loads(wire.encode(model)), schema[name])
