"""An action, as text for a terminal. Pure."""

from dragoman import ActionBase, Content, Delete, Edit, React, Send, Typing, literal

__all__ = ["render"]


def render(action: ActionBase, *, here: str | None = None) -> str:
    """What to print (CommonMark, as the skill said it); empty for what a terminal cannot show.

    Args:
        here: the channel that the terminal shows; what is said elsewhere tells where. Left out: everything is here.
    """
    match action:
        case Send(content=content, address=address):
            elsewhere = here is not None and address.channel != here
            text = _with_files(content)
            return f"*(in {_place(address.channel)})* {text}" if elsewhere else text
        case Edit(content=content, target=target):
            return f"*(message {target.id} now says)* {_with_files(content)}"
        case Delete(target=target):
            return f"*(message {target.id} was taken back)*"
        case React(emoji=emoji, target=target, remove=remove):
            return f"*({'no more ' if remove else ''}:{emoji}: on message {target.id})*"
        case Typing(status=status):
            return f"*({status})*" if status else ""
        case _:
            return ""


def _with_files(content: Content) -> str:
    """The text, and the names of the files below it."""
    names = [f"*(the file {literal(file.name or file.id)})*" for file in content.files]
    return "\n\n".join(filter(None, (content.text, "\n".join(names))))


def _place(channel: str) -> str:
    return channel if channel.startswith("@") else f"#{channel}"
