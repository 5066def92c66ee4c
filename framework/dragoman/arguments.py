"""The signature is the grammar: what a person typed becomes values by parameter name.

This happens in the router, from the manifest alone, so that a mistake is answered before a task is sent. Reading
a signature (`dragoman.signature`) and giving the handler its own types (`dragoman.binding`) is for the worker.

The words of a command are read from left to right:

* ``--name value`` or ``--name=value`` gives the parameter of that name, and ``--name`` or ``--no-name`` a yes or
  no, wherever it stands outside quotes. A list may be given its option several times.
* Any other word is for the next parameter in the signature. A moment, a day or a length of time takes as many words
  as it can (`dragoman.when`); a list that comes last takes all words, and any list ``a,b`` and ``a, b``.
* The last text takes the rest of the line as it was typed. In it, ``--word`` is text unless it is an option.
* ``--`` ends the options: what is behind it is words.
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from .binding import bind
from .duration import LONGEST
from .errors import ArgumentsError
from .parameter import Parameter
from .reading import NO, TIMES, YES, Unreadable, read_time, read_word, shorten, wanted
from .signature import parameters_of
from .tokens import Token, read_tokens
from .usage_line import is_flag, usage

__all__ = ["bind", "convert", "parameters_of", "parse", "usage"]

#: Letters of an option's name that are compared with those there are.
LONGEST_NAME: Final = 64


def parse(command: str, parameters: Sequence[Parameter], text: str, *, now: datetime) -> dict[str, Any]:
    """Read what was typed after the command into values by parameter name, in their JSON form.

    Args:
        now: an aware time in the person's time zone, for words such as "tomorrow".

    Returns:
        What was given; what was left out has its default in the handler's signature.

    Raises:
        ArgumentsError: it does not fit; the message is for the person who typed it.
    """
    return _Line(command, parameters, text, now).read()


def convert(
    command: str, parameters: Sequence[Parameter], texts: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    """Values from texts by parameter name (the groups of a pattern, a slash command's options); raises as `parse`."""
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in texts:
            line = _Line(command, parameters, texts[parameter.name], now)
            line.options = False
            line.take_all(parameter)
            values |= line.values
    line = _Line(command, parameters, "", now)
    line.values = values
    return line.finish()


class _Line:
    """One text on its way to become values."""

    def __init__(self, command: str, parameters: Sequence[Parameter], text: str, now: datetime) -> None:
        self.command = command
        self.parameters = parameters
        self.text = text
        self.now = now
        self.tokens: list[Token] = read_tokens(text)
        self.values: dict[str, Any] = {}
        #: Positional parameters that still take words, in order.
        self.waiting = [parameter for parameter in parameters if not parameter.flag_only]
        self.names = {parameter.name: parameter for parameter in parameters}
        self.folded = {_folded(parameter.name): parameter for parameter in reversed(parameters)}
        #: Whether a word may still be an option.
        self.options = True

    def read(self) -> dict[str, Any]:
        index = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            if self.option(token) is not None:
                index = self.take_option(index)
            elif self.options and token.text == "--" and not token.quoted:
                self.options = False
                index += 1
            elif self.options and token.option and token.sure:
                raise self.unknown(token)
            elif not self.waiting:
                raise self.error(f"I do not know what to do with `{shorten(token.text)}`.")
            elif self.waiting[0].rest:
                self.take_rest(self.waiting.pop(0), index)
                break
            else:
                parameter = self.waiting[0]
                # A list that comes last takes whatever comes.
                if not (parameter.many and len(self.waiting) == 1):
                    self.waiting.pop(0)
                index = self.take(parameter, index)
        return self.finish()

    def finish(self) -> dict[str, Any]:
        for parameter in self.parameters:
            if parameter.required and self.values.get(parameter.name, []) == []:
                several = ", or several" if parameter.many else ""
                raise self.error(f"`{parameter.name}` is missing: it should be {wanted(parameter)}{several}.")
        return self.values

    def option(self, token: Token) -> tuple[Parameter, bool] | None:
        """The parameter that a word is an option for, and whether it is its ``--no-`` form."""
        if not (self.options and token.option):
            return None
        name = token.option.replace("-", "_")
        parameter = self.names.get(name) or self.folded.get(_folded(name))
        if parameter is not None:
            return parameter, False
        if _folded(name).startswith("no_") and token.value is None:
            parameter = self.folded.get(_folded(name)[3:])
            if parameter is not None and parameter.kind == "boolean" and not parameter.many:
                return parameter, True
        return None

    def take_option(self, index: int) -> int:
        """Read an option and its value; where the words go on."""
        token = self.tokens[index]
        found = self.option(token)
        assert found is not None
        parameter, negated = found
        if parameter.name in self.values and not parameter.many:
            raise self.error(f"`{shorten(token.text)}`: `{parameter.name}` has been given already.")
        if not parameter.many:
            self.waiting = [other for other in self.waiting if other is not parameter]
        if negated or (is_flag(parameter) and token.value is None):
            self.values[parameter.name] = not negated
            return index + 1
        if token.value is not None:
            # The value begins behind "="; a moment goes on in the words that follow.
            quoted = token.value_quoted or not token.value
            self.tokens[index] = Token(token.value, token.start, token.end, quoted, comma=token.comma)
            return self.take(parameter, index)
        if parameter.kind == "boolean" and not parameter.many and not self.is_yes_or_no(index + 1):
            self.values[parameter.name] = True
            return index + 1
        if not self.is_word(index + 1):
            raise self.error(f"`{shorten(token.text)}` needs {wanted(parameter)} after it.")
        return self.take(parameter, index + 1)

    def take(self, parameter: Parameter, index: int) -> int:
        """Read one value, or the items of a list for as long as commas join them; where the words go on."""
        if parameter.many:
            return self.take_items(parameter, index)
        token = self.tokens[index]
        if parameter.kind in TIMES and not token.quoted:
            end = index + 1
            while end < index + LONGEST and self.is_word(end) and not self.tokens[end].quoted:
                end += 1
            words = [token.text for token in self.tokens[index:end]]
            self.values[parameter.name], taken = self.time(parameter, words)
            return index + taken
        word = token.text
        if parameter.kind not in ("text", "choice") and not token.quoted:
            word = word.removesuffix(",")
        self.values[parameter.name] = self.word(parameter, word)
        return index + 1

    def take_items(self, parameter: Parameter, index: int) -> int:
        items: list[Any] = self.values.setdefault(parameter.name, [])
        while True:
            token = self.tokens[index]
            if token.quoted:
                items.append(self.word(parameter, token.text))
            elif parameter.kind not in TIMES:
                items.extend(self.word(parameter, item) for item in token.text.split(",") if item)
            else:
                # All but the last are whole; the last goes on in the words up to the next comma.
                *whole, last = token.text.split(",")
                items.extend(self.word(parameter, item) for item in whole if item)
                while last:
                    words, tails = [last], [""]
                    while len(words) < LONGEST and not tails[-1] and self.is_word(at := index + len(words)):
                        following = self.tokens[at]
                        if following.quoted:
                            break
                        word, comma, tail = following.text.partition(",")
                        if word:
                            words.append(word)
                            tails.append(comma + tail)
                        else:
                            break
                    value, taken = self.time(parameter, words)
                    items.append(value)
                    index += taken - 1
                    token = self.tokens[index]
                    *whole, last = tails[taken - 1].removeprefix(",").split(",")
                    items.extend(self.word(parameter, item) for item in whole if item)
            index += 1
            if not (token.comma and self.is_word(index)):
                return index

    def take_all(self, parameter: Parameter) -> None:
        """Read the whole text as the value of one parameter."""
        if not parameter.many:
            self.values[parameter.name] = self.word(parameter, self.text)
            return
        index = 0
        self.values[parameter.name] = []
        while index < len(self.tokens):
            index = self.take_items(parameter, index)

    def take_rest(self, parameter: Parameter, index: int) -> None:
        """Read the rest of the line as it was typed, without the options in it."""
        kept: list[Token] = []
        parts: list[str] = []
        begin = self.tokens[index].start
        while index < len(self.tokens):
            token = self.tokens[index]
            found = self.option(token)
            if found is not None and found[0].flag_only:
                parts.append(self.text[begin : token.start])
                index = self.take_option(index)
                begin = self.tokens[index].start if index < len(self.tokens) else len(self.text)
                continue
            if token.text == "--" and not token.quoted:
                self.options = False
            kept.append(token)
            index += 1
        only = kept[0]
        if len(kept) == 1 and only.quoted and not only.comma:
            text = only.text
        else:
            text = "".join([*parts, self.text[begin:]]).strip()
        self.values[parameter.name] = self.word(parameter, text)

    def is_word(self, index: int) -> bool:
        """Whether there is a word that may be a value: no option, and not the end of the options."""
        if index >= len(self.tokens):
            return False
        token = self.tokens[index]
        return self.option(token) is None and not (self.options and token.text == "--" and not token.quoted)

    def is_yes_or_no(self, index: int) -> bool:
        return self.is_word(index) and self.tokens[index].text.casefold() in YES | NO

    def word(self, parameter: Parameter, word: str) -> Any:
        try:
            return read_word(parameter, word, self.now)
        except Unreadable as error:
            raise self.unreadable(parameter, word, error) from None

    def time(self, parameter: Parameter, words: Sequence[str]) -> tuple[Any, int]:
        try:
            return read_time(parameter, words, self.now)
        except Unreadable as error:
            raise self.unreadable(parameter, words[0], error) from None

    def unreadable(self, parameter: Parameter, word: str, error: Unreadable) -> ArgumentsError:
        return self.error(str(error) or f"`{parameter.name}` should be {wanted(parameter)}, not `{shorten(word)}`.")

    def unknown(self, token: Token) -> ArgumentsError:
        message = f"I do not know the option `{shorten('--' + token.option)}`."
        name = _folded(token.option)[:LONGEST_NAME]
        if near := difflib.get_close_matches(name, self.folded, n=1, cutoff=0.6):
            message += f" Did you mean `--{self.folded[near[0]].name}`?"
        if self.waiting:
            message += " To say it as text, put it in quotes or write `--` before it."
        return self.error(message)

    def error(self, message: str) -> ArgumentsError:
        return ArgumentsError(message, usage=usage(self.command, self.parameters))


def _folded(name: str) -> str:
    return name.replace("-", "_").casefold()
