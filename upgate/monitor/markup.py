"""What people write into a cluster, for chats and mails: it does not mention users, hide links or contain markup.

Slack, Mattermost, Discord, Teams, Telegram, Matrix and mail each read another markup, and apprise may send one text to all
of them: what is broken here, by a space that can be seen, is broken in each. `app@sha256:…` and plain URLs stay as they are.
"""

from __future__ import annotations

import re

#: Up to where a space is put in: a mention (of everybody also within a word), Slack's `<!channel>`, `<@U1>` and `<url|text>`
#: and the tags of HTML, Markdown's links and images, its fences.
MARKUP = re.compile(
    r"@(?=(?:channel|here|everyone)\b)|(?<!\w)@(?=\w)|<(?=[!@#&/?:\w])|&(?=[#\w]{1,12};)|\](?=[(\[])|`(?=``)|~(?=~~)",
    re.IGNORECASE,
)


def without_markup(text: str) -> str:
    """The text, each piece of markup broken by a space: `<!channel>` becomes `< !channel>`."""
    return MARKUP.sub(r"\g<0> ", text)
