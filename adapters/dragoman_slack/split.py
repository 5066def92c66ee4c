"""What `dragoman.adapting.fit` has to know of mrkdwn.

"For best results, limit the number of characters in the text field to 4,000 characters"; above about that
Slack splits by itself, in the middle of anything (https://github.com/slackapi/java-slack-sdk/issues/704), and
above 40,000 it truncates (https://docs.slack.dev/reference/methods/chat.postMessage/#truncating). A part never ends
in an entity (``&amp;``).
"""

import re
from typing import Final

from dragoman.adapting import Markup

from .mrkdwn import GAP

__all__ = ["LIMIT", "MARKUP"]

#: The most characters (Unicode code points, after escaping) that one message gets.
LIMIT: Final = 4000
UNIT: Final = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def _touching(out: str, opening: str, closed: bool, body: str) -> bool:
    """What touches a format from outside gets a gap between: else Slack shows the markers."""
    after_format = closed and out[-1:] in ("*", "_", "~", "`")
    return out[-1:].isalnum() or after_format if opening else after_format and body[0].isalnum()


MARKUP: Final = Markup(unit=UNIT, code_unit=UNIT, reserve=16, gap=GAP, touching=_touching)
