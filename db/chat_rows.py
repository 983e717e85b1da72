"""Rows of the chat (db/sql/chats.sql)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A message that waits for its reply; `mode` is "daily" or "deep"."""

    message_id: int
    chat_id: int
    mode: str


@dataclass(frozen=True, slots=True)
class SaidBefore:
    """A message and its reply, earlier in the same chat."""

    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat; `messages` counts those of both sides."""

    id: int
    title: str
    created_at: datetime
    updated_at: datetime
    messages: int


@dataclass(frozen=True, slots=True)
class ChatMessageRow:
    """What one side said; `sources` are the evidence cards of a reply.

    `status` is "completed" once there is a reply, else that of the ask, or "gone"; `error_code` says why there is none.
    """

    id: int
    ask_id: int
    role: str
    mode: str
    content: str
    sources: list[dict[str, Any]]
    model: str | None
    created_at: datetime
    status: str
    error_code: str | None
