"""What was said before in a chat, as far as a model is to hear it again.

In: the turns before a message, and a request without them. Out: messages in which both sides take turns, the oldest
left out first where they would take more than half of the room in the model's context: the rest is for what is found.
"""

import re
from collections.abc import Iterator, Sequence

from db.chat_rows import ChatTurn, SaidBefore
from services.model.budget import MESSAGE_TOKENS, room_tokens, tokens_of
from services.model.endpoint import Endpoint
from services.model.request import ChatRequest, Message
from services.tools import Tools

SHARE = 0.5
_MARKERS = re.compile(r"(?:\s*\[\d{1,3}\])+")
"""The numbers of passages that the model is not shown again would lead it astray."""


async def said_before(turn: ChatTurn, tools: Tools) -> list[SaidBefore]:
    """Read the last turns before a message, newest first, as many as the setting says."""
    most = tools.settings.answer.chat.history_turns
    return await tools.db.many(SaidBefore, "chat_history", chat_id=turn.chat_id, before=turn.message_id, most=most)


def remembered(said: Sequence[SaidBefore], endpoint: Endpoint | None, without: ChatRequest) -> tuple[Message, ...]:
    """Give as many of the last turns as fit beside a request, oldest first.

    Args:
        said: newest first.
        endpoint: who is asked; None, or one without a known context, takes all.
        without: the request with nothing of them.
    """
    room = None if endpoint is None else room_tokens(endpoint, without)
    kept: list[SaidBefore] = []
    used = 0
    for each in said:
        used += tokens_of(each.message) + tokens_of(each.reply) + 2 * MESSAGE_TOKENS
        if room is not None and used > room * SHARE:
            break
        kept.append(each)
    return tuple(message for each in reversed(kept) for message in _messages(each))


def _messages(said: SaidBefore) -> Iterator[Message]:
    yield Message("user", said.message)
    yield Message("assistant", _MARKERS.sub("", said.reply))
