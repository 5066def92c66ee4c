"""An action, as text for a terminal. Pure."""

from dragoman import ActionBase, Delete, Edit, React, Send, Typing

__all__ = ["render"]


def render(action: ActionBase) -> str:
    """What to print (CommonMark, as the skill said it); empty for what a terminal cannot show."""
    match action:
        case Send(content=content):
            return content.text
        case Edit(content=content, target=target):
            return f"*(message {target.id} now says)* {content.text}"
        case Delete(target=target):
            return f"*(message {target.id} was taken back)*"
        case React(emoji=emoji, target=target, remove=remove):
            return f"*({'no more ' if remove else ''}:{emoji}: on message {target.id})*"
        case Typing(status=status):
            return f"*({status})*" if status else ""
        case _:
            return ""
