"""What a terminal can do, as `ConsoleAdapter.capabilities` declares it."""

from typing import Final

from dragoman import Capabilities, no, yes

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final = Capabilities(
    messages=no("every line is said to the bot, in private"),
    direct=yes(),
    groups=no("one person types"),
    threads=no("what goes to a thread is printed like everything else"),
    edits=no("a line that was typed stays"),
    deletions=no("a line that was typed stays"),
    reactions=yes("`+:wave:` puts it on what the bot said last, `-:wave:` takes it away"),
    joins=no("one person types"),
    profiles=no("one person types"),
    bots=no("one person types"),
    attachments=no("text can be typed, files cannot"),
    slash=no("a line that begins with `/` is a text like any other"),
    people=yes("the name that was given, and this machine's time zone"),
    again=no("a line is typed once"),
    sends=yes("any"),
    changes=yes("the new text is printed below"),
    takes_back=yes("it is printed that it was taken back"),
    reacts=yes("it is printed"),
    uploads=no("the file's name is printed"),
    typing=yes("it is printed"),
    once=no("it is printed again"),
    by_name=yes("what is said elsewhere is printed here, with the place"),
)
