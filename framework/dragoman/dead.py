"""``dragoman dead``: dead letters as a table, as JSON, and one of them in plain words. No secret is in any of it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import wire
from .action import Edit, Send
from .errors import WireError
from .event import Event, Message, SlashCommand
from .redaction import redact
from .store.dead import DeadLetter
from .trace import trace_id

__all__ = ["as_json", "show_letter", "show_letters"]

#: Characters of an error that the table shows, and of a text that is told of.
SHORT: Final = 80
LONG: Final = 500


def show_letters(letters: Sequence[DeadLetter], console: Console | None = None) -> None:
    """Print them as a table that fits."""
    out = console or Console(highlight=False)
    # The error has what the others leave.
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for title in ("reference", "kind", "parked", "account"):
        table.add_column(title, no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("error", overflow="ellipsis", no_wrap=True, ratio=1)
    for letter in letters:
        error = redact(_last_line(letter.error))
        place = _place(letter)
        table.add_row(
            letter.reference, letter.kind, _time(letter.at), letter.account, Text(place), Text(error[: 2 * SHORT])
        )
    out.print(table)


def as_json(letters: Sequence[DeadLetter]) -> str:
    """For programs: a list of objects, without what was said."""
    rows = [
        {
            "id": letter.id,
            "reference": letter.reference,
            "kind": letter.kind,
            "key": letter.key,
            "parked_at": letter.at,
            "account": letter.account,
            "skill": letter.skill,
            "what": letter.what,
            "attempts": letter.attempts,
            "error": redact(letter.error),
        }
        for letter in letters
    ]
    return json.dumps(rows, indent=2)


def show_letter(letter: DeadLetter) -> Iterator[str]:
    """All that is known of one, in lines."""
    for line in _told(letter):
        yield redact(line)


def _told(letter: DeadLetter) -> Iterator[str]:
    row = letter.row
    yield f"{letter.kind} {letter.id} (reference {letter.reference})"
    yield f"  parked   {_time(letter.at)}"
    if letter.account:
        yield f"  account  {letter.account}"
    if letter.kind == "run":
        yield f"  handler  {_place(letter)}"
        yield f"  asked    {row['arguments']}"
        yield f"  attempts {_attempts(row)}"
        yield from _of_event(row["body"], row["event_key"])
        yield from _versions(row["versions"])
    elif letter.kind == "event":
        yield f"  key      {letter.key}"
        yield f"  received {_time(row['received_at'])}"
        yield from _of_event(row["body"], letter.key)
    elif letter.kind == "action":
        yield f"  key      {letter.key}"
        if letter.skill:
            yield f"  said by  {letter.skill}.{row['handler']}, in run {row['run'][:8].upper()}"
        yield f"  asked    {_time(row['created_at'])}"
        yield from _of_action(row["body"])
    else:
        yield f"  queue    {letter.what or 'unknown'}"
        yield from _of_message(row["letter"])
    yield "  error"
    yield from _indented(letter.error)
    if letter.kind == "run" and row["traceback"]:
        yield "  traceback of the last attempt that failed"
        yield from _indented(row["traceback"])


def _place(letter: DeadLetter) -> str:
    return f"{letter.skill}.{letter.what}" if letter.kind == "run" else letter.what


def _attempts(row: dict[str, Any]) -> str:
    told = f"{row['failures']} failed, {row['losses']} lost their worker"
    if row["earlier"]:
        replayed = f", or came before it was replayed at {_time(row['replayed_at'])}" if row["replayed_at"] else ""
        told += f"; {row['earlier']} more were handed back when a worker stopped{replayed}"
    return told


def _of_event(body: str | None, key: str) -> Iterator[str]:
    if body is None:
        yield f"  event    {key}, which is forgotten"
        return
    try:
        event: Event = wire.decode_event(body)
    except WireError as error:
        yield f"  event    {key}, which cannot be read: {error}"
        return
    yield f"  event    {event.kind} {event.key}"
    yield f"  where    {event.address}"
    if event.person is not None:
        yield f"  person   {event.person.name or event.person.id} ({event.person.id})"
    if isinstance(event, Message):
        yield f"  said     {_short(event.content.plain)!r}"
    elif isinstance(event, SlashCommand):
        yield f"  used     /{event.name} {_short(event.text)}".rstrip()
    yield from _trace(event.traceparent)


def _of_action(body: str) -> Iterator[str]:
    try:
        action = wire.decode_action(body)
    except WireError as error:
        yield f"  action   cannot be read: {error}"
        return
    yield f"  action   {action.kind}"
    yield f"  where    {action.address}"
    if isinstance(action, Send | Edit):
        yield f"  text     {_short(action.content.text)!r}"
    yield from _trace(action.traceparent)


def _of_message(letter: str) -> Iterator[str]:
    found: Any = json.loads(letter)
    yield f"  key      {found.get('routing_key', '')}"
    headers = found.get("headers") or {}
    if headers.get("task"):
        yield f"  task     {headers['task']} {headers.get('id', '')}"
    yield from _trace(str(headers.get("traceparent", "")))
    yield f"  body     {_short(str(found.get('body', found.get('body_base64', ''))))}"


def _versions(versions: str | None) -> Iterator[str]:
    if versions:
        found: Any = json.loads(versions)
        yield f"  versions {', '.join(f'{name} {version}' for name, version in found.items())}"


def _trace(traceparent: str) -> Iterator[str]:
    if trace := trace_id(traceparent):
        yield f"  trace    {trace}"


def _indented(text: str) -> Iterator[str]:
    for line in text.rstrip().splitlines() or [""]:
        yield f"    {line}"


def _last_line(text: str) -> str:
    """Of a text of several lines, which may be an exception with what it was about."""
    return next((line for line in text.splitlines() if line.strip()), "")


def _short(text: str) -> str:
    return text if len(text) <= LONG else text[:LONG] + "..."


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
