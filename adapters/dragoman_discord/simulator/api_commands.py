"""Application commands. https://docs.discord.com/developers/interactions/application-commands"""

from typing import Any

from .call import Answer, Call, Method
from .command import Command, check, stored
from .refused import Problems, Refused

__all__ = ["METHODS"]

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
_MOST = 100


def _scope(call: Call) -> str | None:
    """Which guild's commands are meant; `None`: the global ones."""
    call.own()
    return call.guild().id if "guild_id" in call.ids else None


def _there(call: Call) -> list[Command]:
    scope = _scope(call)
    return [command for command in call.app.commands.values() if command.guild_id == scope]


def _one(call: Call) -> Command:
    found = next((command for command in _there(call) if command.id == call.ids["command_id"]), None)
    if found is None:
        raise Refused(10063)
    return found


def _list(call: Call) -> Answer:
    return Answer([each.payload(localized=call.flag("with_localizations")) for each in _there(call)])


def _get(call: Call) -> Answer:
    return Answer(_one(call).payload())


def _store(call: Call, scope: str | None, data: dict[str, Any], old: Command | None) -> Command:
    """Keep a command; its version is a new one if anything is different."""
    new_id, kept = call.simulator.clock.new_id, stored(data)
    if old is not None:
        if old.data != kept:
            old.data, old.version = kept, new_id()
        return old
    command = Command(new_id(), call.app.id, scope, new_id(), kept)
    call.app.commands[command.id] = command
    return command


def _same(commands: list[Command], data: dict[str, Any]) -> Command | None:
    kind = data.get("type") or 1
    return next((each for each in commands if each.name == data["name"] and each.type == kind), None)


def _create(call: Call) -> Answer:
    there, scope, problems = _there(call), _scope(call), Problems()
    check(problems, call.form)
    problems.done()
    old = _same(there, call.form)
    if old is None and sum(each.type == (call.form.get("type") or 1) for each in there) >= _MOST:
        raise Refused(30032)
    command = _store(call, scope, call.form, old)
    call.simulator.changed()
    return Answer(command.payload(), 201 if old is None else 200)


def _edit(call: Call) -> Answer:
    command, problems = _one(call), Problems()
    data = {**command.data, **call.form}
    check(problems, data)
    problems.done()
    _store(call, command.guild_id, data, command)
    call.simulator.changed()
    return Answer(command.payload())


def _delete(call: Call) -> Answer:
    del call.app.commands[_one(call).id]
    call.simulator.changed()
    return Answer()


def _overwrite(call: Call) -> Answer:
    """All of them at once: those that are not given are deleted."""
    there, scope, problems = _there(call), _scope(call), Problems()
    if not isinstance(call.body, list):
        problems.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        problems.done()
    seen: set[tuple[Any, Any]] = set()
    for number, data in enumerate(call.body):
        check(problems, data, str(number))
    problems.done()
    for number, data in enumerate(call.body):
        key = (data["name"], data.get("type") or 1)
        if key in seen:
            problems.add(str(number), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        seen.add(key)
    problems.done()
    if len(call.body) > _MOST:
        raise Refused(30032)
    kept = [_store(call, scope, data, _same(there, data)) for data in call.body]
    for command in there:
        if command not in kept:
            del call.app.commands[command.id]
    call.simulator.changed()
    return Answer([command.payload() for command in kept])


METHODS = tuple(
    Method(verb, path, run)
    for scope in (_GLOBAL, _GUILD)
    for verb, path, run in (
        ("GET", scope, _list),
        ("POST", scope, _create),
        ("PUT", scope, _overwrite),
        ("GET", f"{scope}/{{command_id}}", _get),
        ("PATCH", f"{scope}/{{command_id}}", _edit),
        ("DELETE", f"{scope}/{{command_id}}", _delete),
    )
)
