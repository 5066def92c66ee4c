"""What Slack refuses about blocks, attachments and metadata.

https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Callable
from typing import Any

from .call import Refused

__all__ = ["MOST_ATTACHMENTS", "MOST_BLOCKS", "check_attachments", "check_blocks", "check_metadata"]

MOST_BLOCKS = 50
MOST_ATTACHMENTS = 100
_MARKDOWN = 12_000
_BLOCKS_TEXT = 13_200  # found by experiment: https://github.com/slackapi/bolt-js/issues/2509
_METADATA = 8_000

Block = dict[str, Any]
Check = Callable[[Block, str], None]


def _bad(problem: str, pointer: str) -> Refused:
    return Refused("invalid_blocks", f"[ERROR] {problem} [json-pointer:{pointer}]")


def check_blocks(blocks: Any) -> list[Block]:
    """The blocks of a message, if Slack would take them.

    Raises:
        Refused: with ``invalid_blocks_format``, ``invalid_blocks`` or ``msg_blocks_too_long``.
    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    if len(blocks) > MOST_BLOCKS:
        raise _bad(f"no more than {MOST_BLOCKS} items allowed", "/blocks")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        pointer = f"/blocks/{number}"
        check = _BLOCKS.get(block.get("type", ""))
        if check is None:
            raise _bad(f"unsupported type: {block.get('type')}", f"{pointer}/type")
        id = block.get("block_id")
        if id is not None:
            if not isinstance(id, str) or not 1 <= len(id) <= 255:
                raise _bad("must be between 1 and 255 characters", f"{pointer}/block_id")
            if id in seen:
                raise _bad(f"block_id already exists: {id}", f"{pointer}/block_id")
            seen.add(id)
        check(block, pointer)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > _MARKDOWN or sum(_length(block) for block in blocks) > _BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")
    return blocks


def _length(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else _length(v) for k, v in value.items())
    return sum(map(_length, value)) if isinstance(value, list) else 0


def _string(block: Block, name: str, most: int, pointer: str, *, required: bool = True) -> None:
    value = block.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or not value:
        raise _bad(f"missing required field: {name}", pointer)
    if len(value) > most:
        raise _bad(f"must be less than {most + 1} characters", f"{pointer}/{name}")


def _text(value: Any, most: int, pointer: str, *, plain: bool = False) -> None:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(value, dict) or value.get("type") not in kinds:
        raise _bad(f"must be a {' or '.join(kinds)} object", pointer)
    _string(value, "text", most, pointer)


def _items(block: Block, name: str, most: int, pointer: str) -> list[Block]:
    items = block.get(name)
    if not isinstance(items, list) or not items:
        raise _bad(f"missing required field: {name}", pointer)
    if len(items) > most:
        raise _bad(f"no more than {most} items allowed", f"{pointer}/{name}")
    for number, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise _bad("must be an object with a type", f"{pointer}/{name}/{number}")
    return items


def _section(block: Block, pointer: str) -> None:
    if block.get("text") is None and block.get("fields") is None:
        raise _bad("either text or fields is required", pointer)
    if block.get("text") is not None:
        _text(block["text"], 3000, f"{pointer}/text")
    if block.get("fields") is not None:
        for number, item in enumerate(_items(block, "fields", 10, pointer)):
            _text(item, 2000, f"{pointer}/fields/{number}")
    if block.get("accessory") is not None:
        _element(block["accessory"], f"{pointer}/accessory")


def _header(block: Block, pointer: str) -> None:
    _text(block.get("text"), 150, f"{pointer}/text", plain=True)


def _context(block: Block, pointer: str) -> None:
    for number, item in enumerate(_items(block, "elements", 10, pointer)):
        if item["type"] == "image":
            _image(item, f"{pointer}/elements/{number}")
        else:
            _text(item, 2000, f"{pointer}/elements/{number}")


def _actions(block: Block, pointer: str) -> None:
    for number, item in enumerate(_items(block, "elements", 25, pointer)):
        _element(item, f"{pointer}/elements/{number}")


def _element(item: Any, pointer: str) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise _bad("must be an object with a type", pointer)
    if item["type"] == "image":
        _image(item, pointer)
        return
    _string(item, "action_id", 255, pointer, required=False)
    if item["type"] == "button":
        _text(item.get("text"), 75, f"{pointer}/text", plain=True)
        _string(item, "value", 2000, pointer, required=False)
        _string(item, "url", 3000, pointer, required=False)
        if item.get("style") not in (None, "primary", "danger"):
            raise _bad("must be a valid enum value", f"{pointer}/style")


def _image(block: Block, pointer: str) -> None:
    if block.get("slack_file") is None:
        _string(block, "image_url", 3000, pointer)
    _string(block, "alt_text", 2000, pointer)


def _markdown(block: Block, pointer: str) -> None:
    _string(block, "text", _MARKDOWN, pointer)


def _rich(block: Block, pointer: str) -> None:
    _items(block, "elements", 1000, pointer)


def _anything(block: Block, pointer: str) -> None:
    """Blocks that are not looked into."""


_BLOCKS: dict[str, Check] = {
    "actions": _actions,
    "context": _context,
    "divider": _anything,
    "file": _anything,
    "header": _header,
    "image": _image,
    "input": _anything,
    "markdown": _markdown,
    "rich_text": _rich,
    "section": _section,
    "table": _anything,
    "video": _anything,
}


def check_attachments(attachments: Any) -> list[dict[str, Any]]:
    """The attachments of a message, numbered, if Slack would take them."""
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise Refused("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    return [{**item, "id": number} for number, item in enumerate(attachments, start=1)]


def check_metadata(metadata: Any) -> dict[str, Any] | None:
    """The metadata of a message; an empty object says that there is none.

    https://docs.slack.dev/messaging/message-metadata
    """
    if metadata == {}:
        return None
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise Refused("invalid_metadata_format")
    if len(str(metadata)) > _METADATA:
        raise Refused("metadata_too_large")
    return {"event_type": kind, "event_payload": payload}
