"""The shapes of the chat."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from services.web.ask_wire import FiltersIn, FiltersOrNone
from services.web.wire import DocumentNumber, Question, Shape, WaitersOut

Mode = Literal["daily", "deep"]


class ChatIn(Shape):
    """A message; without `chat_id` it begins a chat. `filters` say what deep mode may search."""

    message: Question
    mode: Mode = "daily"
    chat_id: DocumentNumber | None = None
    filters: FiltersOrNone = FiltersIn()
    stream: bool = True


class CardOut(BaseModel):
    """A passage that a reply rests on, or that was found for it: `quote` is the page's text from `start` to `end`."""

    n: int
    document_id: int
    chunk_id: int
    title: str
    page: int
    score: float
    cited: bool
    quote: str
    start: int
    end: int
    url: str


class ReplyOut(BaseModel):
    """A reply; `grounded` where each of its markers leads to a quote, `refused` where there is no answer."""

    chat_id: int
    ask_id: int
    mode: Mode
    status: str
    answer: str | None
    grounded: bool
    refused: bool
    sources: list[CardOut]
    model: str | None
    error_code: str | None
    gate_wait_ms: float
    took_ms: int | None


class ChatOut(BaseModel):
    """A chat; `messages` counts those of both sides."""

    id: int
    title: str
    created_at: datetime
    updated_at: datetime
    messages: int


class ChatsOut(BaseModel):
    """A page of chats, the one with the last word first; `next` is the value of `before` for the following one."""

    chats: list[ChatOut]
    next: int | None


class MessageOut(BaseModel):
    """What one side said; `status` is that of its ask while a message waits for its reply."""

    id: int
    ask_id: int
    role: Literal["user", "assistant"]
    mode: Mode
    content: str
    sources: list[dict[str, Any]]
    model: str | None
    created_at: datetime
    status: str
    error_code: str | None


class WholeChatOut(ChatOut):
    """A chat with all that was said in it, in order."""

    said: list[MessageOut]


class ServedOut(BaseModel):
    """How a mode is served: `ready`, `waiting` (others hold the model), `broken` (its server does not answer),
    `builtin` (no model is set: it quotes from the documents), or `unset`."""

    state: Literal["ready", "waiting", "broken", "builtin", "unset"]
    model: str | None = None
    endpoint: str | None = None
    inflight: int = 0
    waiters: WaitersOut = WaitersOut()


class ChatStatusOut(BaseModel):
    """How both modes of the chat are served."""

    daily: ServedOut
    deep: ServedOut
